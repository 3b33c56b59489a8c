// node src/main.ts DIRECTORY: a disk of 10 GiB, three copies, and one that went through an archive.
import { join } from "node:path";
import { hashFile } from "@silkvm/storage";
import { linuxHost } from "@silkvm/sys";
import { copies, makeGoldenDisk, packDisk, unpackDisk } from "./golden-disk.ts";

const directory = process.argv[2] ?? ".";
const signal = AbortSignal.timeout(60_000);
const host = linuxHost();
const golden = join(directory, "golden.raw");

await makeGoldenDisk(host, golden, 10 * 1024 ** 3, signal);
console.log("shares blocks:", await host.files.sharesBlocks(directory));
for (const path of [golden, ...(await copies(host, golden, 3, signal))]) {
  const stat = await host.files.stat(path);
  console.log(path, stat?.sizeBytes, "bytes, on the disk", stat?.allocatedBytes);
}
const archive = packDisk(host, directory, "golden.raw", signal);
const arrived = await unpackDisk(host, archive, join(directory, "arrived"), "golden.raw", signal);
console.log("arrived:", arrived);
console.log("sent:   ", await hashFile(host, golden));
