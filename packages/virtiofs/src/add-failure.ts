import { type Host, SilkError, type VmPaths, type VmRecord } from "@silkvm/core";
import type { FsData } from "./fs-device.ts";
import { serverLog } from "./server-files.ts";
import { lastWords, readLog, toldLines } from "./server-log.ts";
import { findServer } from "./server-processes.ts";

/**
 * What it means for a user that a VMM did not take a shared directory; for backends.
 * @param said the VMM's own words, or that it did not answer
 */
export async function fsAddFailure(
  { host, paths }: { readonly host: Host; readonly paths: VmPaths },
  vm: VmRecord,
  data: FsData,
  failure: { readonly said: string; readonly timedOut: boolean; readonly cause: unknown },
): Promise<SilkError> {
  const { said, timedOut, cause } = failure;
  const { dir, socket } = data;
  const details = { id: vm.id, name: vm.name, socket, said };
  if (data.numQueues > 1 && /queue/i.test(said))
    return new SilkError(`the directory cannot have ${data.numQueues} queues: ${said}`, {
      code: "VIRTIOFSD_UNSUPPORTED",
      kind: "unsupported",
      hint: "Share it with one queue, the default: that is what virtiofsd has.",
      details,
      cause,
    });
  if (dir !== undefined) {
    const logPath = serverLog(paths, vm, data.tag);
    const log = toldLines(await readLog(host, logPath, 0));
    const lives = (await findServer(host, socket)).length > 0;
    const last = lastWords(log);
    return new SilkError(
      lives
        ? `the VMM and virtiofsd could not agree on ${dir}: ${said}`
        : `virtiofsd ended before the VMM had ${dir} from it: ${last ?? said}`,
      {
        code: "VIRTIOFSD_FAILED",
        kind: "failed",
        hint: `Its log tells more: ${logPath}`,
        details: { ...details, logPath, log },
        cause,
      },
    );
  }
  return new SilkError(
    timedOut
      ? `nobody behind ${socket} answers the VMM, which waits for it, and answers nothing else meanwhile`
      : `the VMM could not connect ${socket} to ${vm.name}: ${said}`,
    {
      code: timedOut ? "SOCKET_SILENT" : "SOCKET_FAILED",
      kind: timedOut ? "timeout" : "failed",
      hint: timedOut
        ? "End what listens there: it is no virtiofsd, or one that hangs."
        : "See what your virtiofsd says, and start it again: it serves one client and ends.",
      details,
      cause,
    },
  );
}
