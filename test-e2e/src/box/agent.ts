import {
  closeSync,
  createReadStream,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { createInterface } from "node:readline";
import { askGuest } from "./agent-guest.ts";
import { runProgram } from "./agent-run.ts";
import { type Answer, portName, type Request } from "./protocol.ts";

/**
 * The program that a test talks to in the host: it reads requests from the virtio port, a line of JSON each, does them side by side, and
 * answers each by a line. It ends with the test: when nobody is at the other end any more.
 */
const port = openSync(findPort(), "r+");
const lines = createInterface({ input: createReadStream("", { fd: port, autoClose: false }) });
answer({ id: 0, code: 0, stdout: "", stderr: "", timedOut: false });
lines.on("line", (line) => void obey(JSON.parse(line) as Request & { readonly id: number }));
lines.on("close", () => closeSync(port));

async function obey(request: Request & { readonly id: number }): Promise<void> {
  const done = "address" in request ? askGuest(request) : runProgram(request);
  answer({ id: request.id, ...(await done) });
}

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
