import { isSilkError, toSilkError, type SilkError } from "@silkvm/core";
import { type CheckContext, defaultBackend } from "../context.ts";
import { asRoot } from "../distribution.ts";
import type { Check, Fix, Outcome } from "../finding.ts";

/** The release that silk is made for and tested with. */
const release = "v53.0";

/** Whether a backend's VMM is there, and what it can do. */
export function vmm(backend: string): Check {
  return {
    id: `vmm-${backend}`,
    anchor: "vmm",
    title: `VMM of ${backend}`,
    group: "Virtualization",
    async run(context) {
      try {
        const { path, version, capabilities, notes } = await context.probe(backend);
        const facts = [`${version} at ${path}`, ...notes];
        if (capabilities.length > 0) facts.push(`can do ${capabilities.join(", ")}`);
        return { status: "ok", evidence: facts.join("; ") };
      } catch (error) {
        context.signal.throwIfAborted();
        return await describeFailure(
          context,
          backend,
          isSilkError(error) ? error : toSilkError(error),
        );
      }
    },
  };
}

async function describeFailure(
  context: CheckContext,
  backend: string,
  error: SilkError,
): Promise<Outcome> {
  const { config, host } = context;
  const isDefault = backend === defaultBackend(context);
  const status = isDefault ? "failed" : "warning";
  const why = `No VM can be run with the backend ${backend}.`;
  if (error.code === "KVM_UNAVAILABLE" || error.code === "KVM_DENIED") {
    const path =
      backend === "cloud-hypervisor" ? await host.processes.which(config.chBinary) : undefined;
    const where = path === undefined ? "" : `found at ${path}, `;
    return { status: "skipped", evidence: `${where}not asked: KVM cannot be used` };
  }
  // What the other backends lack is nothing to mend.
  if (!isDefault && error.code === "VMM_NOT_FOUND")
    return {
      status: "skipped",
      evidence: `${error.message}; VMs run on ${defaultBackend(context)}`,
    };
  return { status, evidence: error.message, why, fix: mend(backend, error, context) };
}

function mend(backend: string, error: SilkError, { host }: CheckContext): Fix {
  const isReplaced = error.code === "VMM_NOT_FOUND" || error.code === "VMM_TOO_OLD";
  const description =
    error.hint ??
    (isReplaced
      ? "Install the VMM, or name it with `silk config set chBinary PATH`."
      : "See what the VMM itself says when it is run.");
  if (!isReplaced || backend !== "cloud-hypervisor") return { description, automatic: false };
  const asset =
    host.facts.arch === "arm64" ? "cloud-hypervisor-static-aarch64" : "cloud-hypervisor-static";
  const url = `https://github.com/cloud-hypervisor/cloud-hypervisor/releases/download/${release}/${asset}`;
  const target = "/usr/local/bin/cloud-hypervisor";
  const download = asRoot(`curl -fLo ${target} ${url}`, host.facts.uid);
  return {
    command: `${download} && ${asRoot(`chmod 755 ${target}`, host.facts.uid)}`,
    description,
    automatic: false,
  };
}
