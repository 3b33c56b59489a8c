import { open } from "node:fs/promises";
import type { Vm } from "@silkvm/core";
import { ask, say } from "./snapshot-console.ts";

const sectorBytes = 512;
/** The COW disk has an ext4: what is written here is in none of its files. */
const firstSector = 20_000;
const yes = "y".repeat(300);

/** What a test asks of a guest, in the words of the guest that runs on its VMM. */
export interface GuestWords {
  /** Ticks since the guest booted; they stand still while it does. */
  count(vm: Vm): Promise<number>;
  /** Puts a word into the guest's memory, and nowhere else. */
  remember(vm: Vm, word: string): Promise<void>;
  recall(vm: Vm): Promise<string>;
  /** Fills a good part of the guest's memory by a pattern. */
  fill(vm: Vm, seed: number): Promise<void>;
  /** Whether every byte of the pattern is there. */
  isFilled(vm: Vm, seed: number): Promise<boolean>;
  /** Writes a free sector of the COW disk, as the guest sees it. */
  writeDisk(vm: Vm, sector: number, word: string): Promise<void>;
  /** What was written to a sector of the COW disk; an empty string where nothing was. */
  readDisk(vm: Vm, sector: number): Promise<string>;
  /** Makes it write over what the other words have written, for some time: memory, and sector 3 of the disk where it has one. Waits for nothing. */
  scribble(vm: Vm): Promise<void>;
}

/** The guest of `../guest`, on a real VMM. */
export const realGuest: GuestWords = {
  count: async (vm) => Number((await ask(vm, "count")).replace("count ", "")),
  remember: (vm, word) => obeys(vm, `mark ${word}`),
  recall: async (vm) => (await ask(vm, "mark")).replace(/^mark ?/, ""),
  fill: (vm, seed) => obeys(vm, `mem ${seed} 8`),
  isFilled: async (vm, seed) => (await ask(vm, `memcheck ${seed} 8`)) === "ok",
  writeDisk: (vm, sector, word) => obeys(vm, `write cocoon-cow ${firstSector + sector} ${word}`),
  readDisk: async (vm, sector) => {
    const answer = await ask(vm, `read cocoon-cow ${firstSector + sector}`);
    if (answer === "zero") return "";
    if (!answer.startsWith("data ")) throw new Error(`sector ${sector}: ${answer}`);
    return answer.slice("data ".length);
  },
  scribble: (vm) =>
    say(vm, `mark scribbled\nmem 99 8\nwrite cocoon-cow ${firstSector + 3} scribbled\n`.repeat(20)),
};

/** The guest that ch-sim plays: it has no disks of its own, so the host writes them in its place. */
export const simulatedGuest: GuestWords = {
  count: async (vm) => Number(await ask(vm, "counter")),
  remember: async (vm, word) => void (await ask(vm, `set word ${word}`)),
  recall: (vm) => ask(vm, "get word"),
  fill: async (vm, seed) => void (await ask(vm, `set filled-${seed} ${yes}`)),
  isFilled: async (vm, seed) => (await ask(vm, `get filled-${seed}`)) === yes,
  writeDisk: async (vm, sector, word) => {
    await using disk = await open(await cowPath(vm), "r+");
    await disk.write(Buffer.alloc(sectorBytes, `${word}\n`), 0, sectorBytes, positionOf(sector));
  },
  readDisk: async (vm, sector) => {
    await using disk = await open(await cowPath(vm), "r");
    const { buffer } = await disk.read(
      Buffer.alloc(sectorBytes),
      0,
      sectorBytes,
      positionOf(sector),
    );
    return buffer[0] === 0 ? "" : (buffer.toString("latin1").split("\n")[0] as string);
  },
  scribble: (vm) => say(vm, "set word scribbled\n".repeat(20)),
};

function positionOf(sector: number): number {
  return (firstSector + sector) * sectorBytes;
}

/** Where the VM's COW disk is on the host. */
export async function cowPath(vm: Vm): Promise<string> {
  const { disks } = await vm.inspect();
  const cow = disks.find(({ role }) => role === "cow");
  if (cow === undefined) throw new Error(`${vm.name} has no COW disk`);
  return cow.path;
}

async function obeys(vm: Vm, line: string): Promise<void> {
  const answer = await ask(vm, line);
  if (answer !== "ok") throw new Error(`${vm.name}: ${line}: ${answer}`);
}
