import { type Host, type ProcessIdentity, SilkError } from "@silkvm/core";
import { pidFiles, socketArgument } from "./server-files.ts";

/** It has nothing to write any more: no VMM is its client. */
const graceMs = 500;
const killWaitMs = 5_000;
/** Looks for what was missed so often: one that was just being started, or the process behind a sandbox. */
const rounds = 3;

/**
 * The living processes of silk's own virtiofsd behind a socket, whatever anybody remembers of them: a silk that was killed right after the launch leaves
 * one that nothing names. In a sandbox there are two with the same arguments.
 */
export async function findServer(
  { processes }: Pick<Host, "processes">,
  socket: string,
): Promise<readonly ProcessIdentity[]> {
  const own = socketArgument(socket);
  const found = await processes.find((argv) => argv.includes(own));
  return found.map(({ identity }) => identity);
}

/**
 * Ends silk's own virtiofsd behind a socket, and removes the files that it leaves. None that runs, and no file that is there, is fine.
 * @throws SilkError `VIRTIOFSD_WONT_END`
 */
export async function endServer(
  host: Pick<Host, "processes" | "files" | "facts">,
  socket: string,
): Promise<void> {
  const { processes, files } = host;
  for (let round = 0; ; round++) {
    const found = await findServer(host, socket);
    if (found.length === 0) break;
    if (round === rounds) throw wontEnd(socket, found);
    await Promise.all(
      found.map(async (server) => {
        await processes.signal(server, "SIGTERM");
        if (await processes.waitForExit(server, { timeoutMs: graceMs })) return;
        await processes.signal(server, "SIGKILL");
        await processes.waitForExit(server, { timeoutMs: killWaitMs });
      }),
    );
  }
  for (const path of [socket, ...pidFiles(socket, host.facts)])
    if ((await files.stat(path)) !== undefined) await files.remove(path);
}

function wontEnd(socket: string, living: readonly ProcessIdentity[]): SilkError {
  const pids = living.map(({ pid }) => pid);
  return new SilkError(`the virtiofsd of ${socket} does not end: pid ${pids.join(", ")}`, {
    code: "VIRTIOFSD_WONT_END",
    kind: "failed",
    hint: "It hangs in the kernel, mostly on a file system that does not answer: `dmesg` tells more. Run the command again once it is gone.",
    details: { socket, pids },
  });
}
