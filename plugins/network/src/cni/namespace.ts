import { type CallOptions, type Host, SilkError, type VmRecord } from "@silkvm/core";
import { toolFailed } from "../errors.ts";
import { toToolError } from "../ip/run-batch.ts";
import { namespacePath } from "../names.ts";

/**
 * Makes sure that a VM has its network namespace: a new one, or where the VM's VMM runs already, the one that it runs in.
 * @param there whether a usable namespace of that name was found
 * @throws SilkError `NETNS_MISMATCH`
 */
export async function ensureNamespace(
  host: Host,
  name: string,
  vm: Pick<VmRecord, "name" | "runtime">,
  there: boolean,
  options: CallOptions,
): Promise<void> {
  const vmm = vm.runtime?.vmm;
  const pid = vmm !== undefined && host.processes.isAlive(vmm) ? vmm.pid : undefined;
  if (pid !== undefined) {
    const inode = async (path: string): Promise<number | undefined> =>
      (await host.files.stat(path))?.inode;
    const lived = await inode(`/proc/${pid}/ns/net`);
    const wrong = there
      ? lived !== (await inode(namespacePath(name)))
      : lived === (await inode("/proc/self/ns/net"));
    if (wrong) throw mismatch(vm.name);
  }
  if (there) return;
  // After a reboot without one, so to speak: the name of a namespace that is no more.
  await removeNamespace(host, name, options);
  await netns(host, pid === undefined ? ["add", name] : ["attach", name, String(pid)], options);
}

/** Removes the name of a namespace, and with it the namespace as soon as no process lives in it. One that is not there is fine. */
export async function removeNamespace(
  host: Host,
  name: string,
  options: CallOptions,
): Promise<void> {
  if ((await host.files.stat(namespacePath(name))) === undefined) return;
  await netns(host, ["del", name], options);
}

async function netns(host: Host, words: readonly string[], { signal }: CallOptions): Promise<void> {
  const args = ["netns", ...words];
  const result = await host.processes
    .run({ command: "ip", args, signal })
    .catch((error: unknown) => {
      throw toToolError("ip", error, signal);
    });
  const gone = words[0] === "del" && result.stderr.includes("No such file");
  if (result.exitCode !== 0 && !gone)
    throw toolFailed({ program: "ip", line: args.join(" "), result });
}

function mismatch(name: string): SilkError {
  return new SilkError(
    `the VM ${name} runs in another network namespace than its NICs would be in`,
    {
      code: "NETNS_MISMATCH",
      kind: "conflict",
      hint: `It was started without a NIC of this network. Give it some while it is stopped: silk vm stop ${name} && silk vm net set ${name} --nics 1 && silk vm start ${name}`,
      details: { name },
    },
  );
}
