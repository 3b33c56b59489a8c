import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A process that has a TAP open in a namespace, as a VMM has. */
export interface Peer extends AsyncDisposable {
  send(frame: Buffer): void;
  /** The n-th frame that has come, from 0; waits for it. */
  frame(at: number): Promise<Buffer>;
  /** Resolves once a frame with this content has come. */
  received(frame: Buffer): Promise<void>;
}

/** Opens a TAP. */
export async function openPeer(namespace: string, tap: string): Promise<Peer> {
  const child = spawn(
    "nsenter",
    [
      `--net=/var/run/netns/${namespace}`,
      process.execPath,
      join(import.meta.dirname, "tap-peer.ts"),
      tap,
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: child.stdout });
  const seen: string[] = [];
  lines.on("line", (line) => seen.push(line));
  const [first] = (await Promise.race([once(lines, "line"), once(child, "exit")])) as unknown[];
  if (first !== "open") throw new Error(`the TAP ${tap} could not be opened`);
  return {
    send: (frame) => void child.stdin.write(`${frame.toString("hex")}\n`),
    frame: async (at) => {
      // Its first line is no frame.
      while (seen.length <= at + 1) await once(lines, "line");
      return Buffer.from(seen[at + 1] as string, "hex");
    },
    received: async (frame) => {
      while (!seen.includes(frame.toString("hex"))) await once(lines, "line");
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** A broadcast of an experimental kind, from one MAC. */
export function broadcast(from: string, text: string): Buffer {
  return Buffer.concat([
    Buffer.from("ffffffffffff", "hex"),
    Buffer.from(from.replaceAll(":", ""), "hex"),
    Buffer.from("88b5", "hex"),
    Buffer.from(text.padEnd(46)),
  ]);
}

/** Sends a frame until the other has it: a bridge takes a moment to forward to a port that came up just now. */
export async function deliver(from: Peer, to: Peer, frame: Buffer): Promise<void> {
  from.send(frame);
  const again = setInterval(() => from.send(frame), 50);
  try {
    await to.received(frame);
  } finally {
    clearInterval(again);
  }
}
