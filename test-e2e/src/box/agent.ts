import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  createReadStream,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { createInterface } from "node:readline";
import { type Answer, portName, type Request } from "./protocol.ts";

/**
 * The program that a test talks to in the host: it reads requests from the virtio port, a line of JSON each, runs them side by side, and
 * answers each by a line. It ends with the test: when nobody is at the other end any more.
 */
const port = openSync(findPort(), "r+");
const lines = createInterface({ input: createReadStream("", { fd: port, autoClose: false }) });
answer({ id: 0, code: 0, stdout: "", stderr: "", timedOut: false });
lines.on("line", (line) => void run(JSON.parse(line) as Request).then(answer));
lines.on("close", () => closeSync(port));

function findPort(): string {
  const ports = "/sys/class/virtio-ports";
  const name = readdirSync(ports).find(
    (entry) => readFileSync(`${ports}/${entry}/name`, "utf8").trim() === portName,
  );
  if (name === undefined) throw new Error(`there is no virtio port ${portName}`);
  return `/dev/${name}`;
}

function answer(message: Answer): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let sent = 0; sent < bytes.length;) sent += writeSync(port, bytes, sent);
}

async function run(request: Request): Promise<Answer> {
  const { id, argv, input, until, timeoutMs } = request;
  const [command = "", ...args] = argv;
  const child = spawn(command, args, {
    cwd: "/root",
    env: { ...process.env, ...request.env },
    // A group of its own: its deadline is its children's, too.
    detached: true,
  });
  let stdout = "";
  let stderr = "";
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child);
  }, timeoutMs);
  child.stdin.on("error", () => undefined);
  child.stdin.write(input);
  if (until === undefined) child.stdin.end();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (until !== undefined && stdout.includes(until)) child.stdin.end();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const { promise, resolve } = Promise.withResolvers<Answer>();
  child.on("error", ({ message }) => resolve({ id, code: 127, stdout, stderr: message, timedOut }));
  child.on("close", (code) => resolve({ id, code: code ?? 128, stdout, stderr, timedOut }));
  const message = await promise;
  clearTimeout(timer);
  return message;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
