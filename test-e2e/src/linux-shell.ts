import { randomUUID } from "node:crypto";
import { addAbortSignal } from "node:stream";
import type { Vm } from "@silkvm/core";
import { linuxIsUp } from "./linux-guest.ts";

const bootMs = 60_000;

/** Waits until a Linux guest that has just been started says that its shell is there. What is typed before that may go to its firmware. */
export async function untilLinuxIsUp(vm: Vm, timeoutMs: number): Promise<void> {
  await using attached = await vm.console();
  let text = "";
  for await (const chunk of addAbortSignal(AbortSignal.timeout(timeoutMs), attached.stream)) {
    text += String(chunk);
    if (text.includes(linuxIsUp)) return;
  }
  throw new Error(`the guest does not come up: ${text}`);
}

/** Runs a shell script in a Linux guest, by its console, as soon as its shell is there. @returns what it printed */
export async function inLinux(vm: Vm, script: string): Promise<string> {
  await using attached = await vm.console();
  const { stream } = attached;
  const [begin, end] = [randomUUID(), randomUUID()];
  // The marks are not in what is sent: an echo of it is no answer.
  const split = (mark: string): string => `"${mark.slice(0, 8)}""${mark.slice(8)}"`;
  const line = `echo ${split(begin)}; { ${script}\n} </dev/null 2>&1; echo ${split(end)}\n`;
  const said = Promise.withResolvers<string>();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
    const from = text.lastIndexOf(begin);
    const to = text.indexOf(end, from);
    if (from !== -1 && to !== -1)
      said.resolve(
        text
          .slice(from + begin.length, to)
          .replaceAll("\r", "")
          .trim(),
      );
  });
  stream.on("error", said.reject);
  // What comes before the shell is lost.
  let answered = false;
  const send = (): void => void (text.includes(begin) || answered || stream.write(line));
  const again = setInterval(send, 1_000);
  const deadline = setTimeout(
    () => said.reject(new Error(`the guest does not answer: ${text}`)),
    bootMs,
  );
  try {
    send();
    return await said.promise;
  } finally {
    answered = true;
    clearInterval(again);
    clearTimeout(deadline);
  }
}
