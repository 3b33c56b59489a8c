import { SilkCommand } from "../../base-command.ts";
import { openEngine } from "../../engine.ts";
import { renderError } from "../../failure/error-view.ts";
import { type Failure, toFailure } from "../../failure/failure.ts";
import { someVms } from "../../flags/vm-args.ts";
import { renderVmView } from "../../inspect-view.ts";
import { hasColor } from "../../output/color.ts";
import { print, printJson } from "../../output/stdout.ts";
import type { VmView } from "@silkvm/core";

type Inspected = { readonly ref: string } & (
  | { readonly view: VmView }
  | { readonly failure: Failure }
);

export default class VmInspect extends SilkCommand {
  static override summary = "show everything about VMs";
  static override description =
    "The record, and what is true now. With --json one VM is an object, several are an array in the order of the command line; what is wrong with one stands in its place as an object with `ref` and `error`.";
  static override usage = "<%= command.id %> VM...";
  static override examples = [
    { description: "for a person", command: "silk vm inspect web" },
    {
      description: "the process id of the VMM",
      command: "silk vm inspect web --json | jq .runtime.vmm.pid",
    },
  ];
  static override args = someVms;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(VmInspect);
    await using open = await openEngine(flags, this.config);
    const one = async (ref: string): Promise<Inspected> => {
      try {
        return { ref, view: await open.engine.inspect(ref, open.call()) };
      } catch (error) {
        if (args.vm.length === 1) throw error;
        return { ref, failure: toFailure(error) };
      }
    };
    const inspected = await Promise.all(args.vm.map(one));
    for (const item of inspected) if ("failure" in item) process.exitCode ??= item.failure.exitCode;
    if (flags.json) {
      const documents = inspected.map((item) =>
        "view" in item ? item.view : { ref: item.ref, error: item.failure.error },
      );
      printJson(documents.length === 1 ? documents[0] : documents);
      return;
    }
    const nowMs = Date.now();
    const views = inspected.flatMap((item) =>
      "view" in item ? [renderVmView(item.view, nowMs)] : [],
    );
    print(views.join("\n"));
    for (const item of inspected)
      if ("failure" in item && item.failure.error !== undefined)
        process.stderr.write(renderError(item.failure.error, { color: hasColor(process.stderr) }));
  }
}
