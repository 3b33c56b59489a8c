import { randomUUID } from "node:crypto";
import type { Console, Vm } from "@silkvm/core";

const answerWithinMs = 15_000;
const askAgainMs = 3_000;

/** A console that stays attached: some VMMs take half a second to notice that somebody is there again. */
interface Session {
  readonly console: Console;
  readonly pid: number | undefined;
  /** What the guest has said and nobody has asked for yet. */
  text: string;
  heard: () => void;
  ended: () => void;
}

const sessions = new Map<string, Session>();

/** Writes lines to a guest, and waits for no answer. */
export async function say(vm: Vm, lines: string): Promise<void> {
  const { console } = await attach(vm);
  console.stream.write(lines);
}

/**
 * Sends a line to a guest and reads its answer, whatever was said on the console before. Asked again where nothing comes: a guest that is
 * just booting may miss the first.
 */
export async function ask(vm: Vm, line: string): Promise<string> {
  const session = await attach(vm);
  const end = randomUUID();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  session.text = "";
  session.heard = () => {
    // The last line is not whole yet.
    const lines = session.text
      .split(/\r?\n/)
      .slice(0, -1)
      .map((said) => said.replace(/^(?:silk# )+/, ""));
    const at = lines.indexOf(end);
    if (at === -1) return;
    // An echo of what was sent, and a greeting, are no answer.
    const unasked = new Set(["", line, `echo ${end}`, "silk-guest ready", "silk guest ready"]);
    resolve(lines.slice(0, at).findLast((said) => !unasked.has(said)) ?? "");
  };
  const { stream } = session.console;
  session.ended = () => reject(new Error(`${vm.name} ended instead of answering ${line}`));
  const send = (): void => void stream.write(`${line}\necho ${end}\n`);
  const again = setInterval(send, askAgainMs);
  const deadline = setTimeout(() => {
    const { text } = session;
    reject(new Error(`${vm.name} does not answer ${line}, but ${JSON.stringify(text)}`));
  }, answerWithinMs);
  try {
    send();
    return await promise;
  } finally {
    clearInterval(again);
    clearTimeout(deadline);
  }
}

/** The console of a VM's VMM, the same one as long as that runs. */
async function attach(vm: Vm): Promise<Session> {
  const { runtime } = await vm.inspect();
  const pid = runtime?.vmm.pid;
  const known = sessions.get(vm.id);
  if (known !== undefined && known.pid === pid && !known.console.stream.destroyed) return known;
  await known?.console[Symbol.asyncDispose]();
  const session: Session = {
    console: await vm.console(),
    pid,
    text: "",
    heard: () => {},
    ended: () => {},
  };
  const { stream } = session.console;
  stream.on("data", (chunk: Buffer) => {
    session.text += chunk.toString("latin1");
    session.heard();
  });
  // It breaks off when its VMM ends.
  stream.on("error", () => {});
  stream.on("close", () => {
    session.ended();
    if (sessions.get(vm.id) === session) sessions.delete(vm.id);
  });
  sessions.set(vm.id, session);
  return session;
}
