// Plays a VMM with a guest: a program of its own, which outlives whoever has started it. Yours takes its place.
import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    console: { type: "string" },
    ended: { type: "string" },
    disk: { type: "string", multiple: true },
  },
});
const { console: consolePath, ended: endedPath } = values;
if (consolePath === undefined || endedPath === undefined)
  throw new Error("usage: vmm --console SOCKET --ended FILE [--disk FILE]...");

/** The guest's shell: a line on the console, and what it answers. */
function answer(line: string): string {
  const [word, ...words] = line.trim().split(" ");
  if (word === "echo") return words.join(" ");
  if (word === "disks") return (values.disk ?? []).join(" ");
  if (word === "poweroff") shutDown();
  return word === "" ? "" : `${word}: not found`;
}

/** The guest shuts down in order, and leaves a sign of it. */
function shutDown(): void {
  writeFileSync(endedPath as string, "");
  rmSync(consolePath as string, { force: true });
  process.exit(0);
}

process.on("SIGTERM", shutDown);
// Of an earlier life that was killed.
for (const path of [consolePath, endedPath]) rmSync(path, { force: true });
createServer((socket) => {
  const lines = createInterface({ input: socket });
  // Whoever goes away in the middle of a line is no reason to end.
  for (const end of [socket, lines]) end.on("error", () => {});
  socket.write("# ");
  lines.on("line", (line) => {
    if (!socket.writableEnded) socket.write(`${answer(line)}\r\n# `);
  });
}).listen(consolePath, () => process.stdout.write("the guest runs\n"));
