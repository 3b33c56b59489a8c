// Opens a TAP as a VMM does. Prints `open`, then each frame that it is given, in hex; sends each line of its input, which is a frame in hex.
import { openSync, read, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import koffi from "koffi";

const TUNSETIFF = 0x400454ca;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const ifreqBytes = 40;

const tap = openSync("/dev/net/tun", "r+");
const request = Buffer.alloc(ifreqBytes);
request.write(process.argv[2] ?? "");
request.writeUInt16LE(IFF_TAP | IFF_NO_PI, 16);
const ioctl = koffi
  .load("libc.so.6")
  .func("int ioctl(int fd, unsigned long request, void *data)") as (
  fd: number,
  request: number,
  data: Buffer,
) => number;
if (ioctl(tap, TUNSETIFF, request) !== 0) throw new Error("TUNSETIFF failed");
process.stdout.write("open\n");

const frame = Buffer.alloc(65_536);
function next(): void {
  read(tap, frame, 0, frame.length, null, (error, length) => {
    if (error !== null) throw error;
    process.stdout.write(`${frame.toString("hex", 0, length)}\n`);
    next();
  });
}
next();
for await (const line of createInterface({ input: process.stdin }))
  writeSync(tap, Buffer.from(line, "hex"));
