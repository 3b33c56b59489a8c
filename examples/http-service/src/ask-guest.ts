import { randomUUID } from "node:crypto";
import { addAbortSignal } from "node:stream";
import type { Vm } from "@silkvm/core";

/**
 * Has the shell on a guest's console run a line, and reads what it says. A service of your own will rather talk to an agent in its guests, by the
 * network or a socket; a console is what every guest has.
 */
export async function askGuest(vm: Vm, line: string, signal: AbortSignal): Promise<string> {
  await using guest = await vm.console({ signal });
  // An abort ends the stream, and so the loop that reads it.
  addAbortSignal(signal, guest.stream);
  const end = randomUUID();
  guest.stream.write(`${line}\necho ${end}\n`);
  let said = "";
  try {
    for await (const chunk of guest.stream) {
      said += String(chunk);
      const answer = answerIn(said, line, end);
      if (answer !== undefined) return answer;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
  throw new Error("the guest ended before it had answered");
}

/** What was said before the line that marks the end; undefined as long as that has not come. */
function answerIn(said: string, line: string, end: string): string | undefined {
  // The last line is not whole yet; a shell puts its prompt in front of a line.
  const lines = said
    .split(/\r*\n/)
    .slice(0, -1)
    .map((text) => text.replace(/^(?:\S*[#$>] )+/, ""));
  const at = lines.indexOf(end);
  if (at === -1) return undefined;
  // A terminal echoes what is typed.
  const echoes = new Set(["", line, `echo ${end}`]);
  return lines
    .slice(0, at)
    .filter((text) => !echoes.has(text))
    .join("\n");
}
