import { Config } from "@oclif/core/config";
import { warn } from "./output/stderr.ts";

/** Events whose failing hook is the command's failure: whoever runs these hooks throws it. */
const thrownByCaller: ReadonlySet<string> = new Set([
  "command_not_found",
  "command_incomplete",
  "jit_plugin_not_installed",
]);

/** oclif collects the failures of hooks and looks at none: without this, a plugin's broken hook goes unnoticed. */
export function reportHookFailures(): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its own object below
  const original = Config.prototype.runHook;
  Config.prototype.runHook = async function runHook(event, ...rest) {
    const result = await original.call(this, event, ...rest);
    if (!thrownByCaller.has(event as string))
      for (const { error, plugin } of result.failures)
        warn(
          `the hook "${String(event)}" of the plugin ${plugin.name} failed: ${firstLine(error)}`,
        );
    return result as never;
  };
}

function firstLine(error: Error): string {
  return error.message.split("\n", 1)[0] as string;
}
