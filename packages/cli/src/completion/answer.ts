import type { Config } from "@oclif/core/config";
import type { Engine, VmSummary } from "@silkvm/core";
import type { HostDevice } from "@silkvm/vfio";
import { openEngine } from "../engine.ts";
import type { GlobalFlags } from "../flags/global.ts";
import { formatSize } from "../output/format-size.ts";
import { type Candidate, complete } from "./complete.ts";
import { type Directive, joinBashWords, renderCandidates, type Shell } from "./shells.ts";

/** Completes the last of the words that were typed after `silk`. */
export async function answerCompletion(
  shell: Shell,
  typed: readonly string[],
  oclif: Config,
): Promise<string> {
  const words = shell === "bash" ? joinBashWords(typed) : typed;
  const current = words.at(-1) ?? "";
  const answer = (candidates: readonly Candidate[], directive: Directive = ":nothing"): string =>
    renderCandidates(shell, current, candidates, directive, typed.at(-1));
  const completion = complete(words, oclif.commands, oclif.topics);
  switch (completion.type) {
    case "words":
      return answer(completion.candidates);
    case "files":
      return answer([], ":files");
    case "directories":
      return answer([], ":directories");
    case "settings": {
      const { configKeys } = await import("@silkvm/core");
      return answer(configKeys.map((value) => ({ value, description: "" })));
    }
    case "snapshots": {
      const snapshots = await ask(words, oclif, (engine) => engine.snapshots.list());
      const fitting = snapshots.filter(({ name }) => !completion.given.includes(name));
      return answer(refs(current, fitting, ({ vmName }) => `of ${vmName}`));
    }
    case "images": {
      const images = await ask(words, oclif, listImages);
      const fitting = images.filter(({ name }) => !completion.given.includes(name));
      return answer(
        fitting.map(({ name, type, sizeBytes }) => ({
          value: name,
          description: `${type}, ${formatSize(sizeBytes)}`,
        })),
      );
    }
    case "devices": {
      const { kind, flag, vm } = completion;
      if (vm === undefined) return answer([]);
      const attached = await ask(words, oclif, async (engine) => {
        const { attachments = [] } = await engine.inspect(vm);
        return attachments.filter((one) => one.kind === kind);
      });
      return answer(
        attached.map(({ id, data, state }) => {
          const called = data[flag];
          return { value: typeof called === "string" ? called : id, description: state };
        }),
      );
    }
    case "pci": {
      const devices = await ask(words, oclif, async ({ host }) => {
        const { listHostDevices } = await import("@silkvm/vfio");
        return await listHostDevices(host);
      });
      const usable = devices.filter((device) => device.usable !== "no");
      return answer(usable.flatMap((device) => pciWords(current, device)));
    }
    case "backends": {
      const names = await ask(words, oclif, async ({ backends }) => backends);
      return answer(names.map((value) => ({ value, description: "" })));
    }
    case "vms": {
      const vms = await ask(words, oclif, (engine) => engine.list());
      const fitting = vms.filter(
        (vm) => fits(completion.command, vm) && !completion.given.includes(vm.name),
      );
      return answer(refs(current, fitting, ({ state }) => state));
    }
    case "plugins": {
      const plugins = oclif.getPluginsList().filter(({ type }) => type !== "core");
      const fitting = plugins.filter(({ name }) => !completion.given.includes(name));
      return answer(fitting.map(({ name, version }) => ({ value: name, description: version })));
    }
    case "networks": {
      const { flag, given } = completion;
      const networks = await ask(
        words,
        oclif,
        async (engine) => (await engine.networks()).networks,
      );
      const known = networks.flatMap(({ name, spec, description }) => {
        const value = flag === undefined ? name : spec[flag];
        return value === undefined ? [] : [{ value, description }];
      });
      return answer(known.filter(({ value }) => !given.includes(value)));
    }
    default:
      return answer([]);
  }
}

async function listImages({ host, config: { rootDir } }: Engine) {
  const { openImages, familiarName } = await import("@silkvm/images");
  await using images = openImages({ host, rootDir });
  return images.list().map((image) => ({ ...image, name: familiarName(image.ref) }));
}

/** Whether a command makes sense for a VM as it is. */
function fits(command: string, { state }: VmSummary): boolean {
  if (command === "vm:start" || command === "vm:wake") return state !== "running";
  return !runningOnly.has(command) || state === "running";
}

const runningOnly: ReadonlySet<string> = new Set([
  "vm:stop",
  "vm:console",
  "vm:hibernate",
  "vm:device:attach",
  "vm:disk:attach",
  "vm:fs:attach",
  "snapshot:save",
]);

/** An address in full, and in the short form where one may have been begun. */
function pciWords(current: string, device: HostDevice): readonly Candidate[] {
  const { address, deviceName, className, driver } = device;
  const name = deviceName ?? className ?? "";
  const description = driver === undefined ? name : `${name} (${driver})`.trimStart();
  const short = address.replace(/^0000:/, "");
  const values = current === "" || current.endsWith("=") ? [address] : [address, short];
  return [...new Set(values)].map((value) => ({ value, description }));
}

/** Names with what they are, and ids where one may have been begun. */
function refs<T extends { readonly id: string; readonly name: string }>(
  current: string,
  known: readonly T[],
  describe: (ref: T) => string,
): readonly Candidate[] {
  return [
    ...known.map((ref) => ({ value: ref.name, description: describe(ref) })),
    ...(current === "" ? [] : known.map(({ id, name }) => ({ value: id, description: name }))),
  ];
}

/** What the engine answers that the command line would open; nothing where it cannot be asked. */
async function ask<T>(
  words: readonly string[],
  oclif: Config,
  question: (engine: Engine) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const value = (flag: string): string | undefined => {
    const at = words.indexOf(flag);
    return at === -1
      ? words.find((word) => word.startsWith(`${flag}=`))?.slice(flag.length + 1)
      : words[at + 1];
  };
  const flags: GlobalFlags = {
    "root-dir": value("--root-dir"),
    config: value("--config"),
    "log-level": "silent",
    json: false,
    "no-wait": true,
  };
  try {
    await using open = await openEngine(flags, oclif);
    return await question(open.engine);
  } catch {
    return [];
  }
}
