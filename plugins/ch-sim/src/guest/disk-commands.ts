/** A disk as the guest has it. */
export interface GuestDisk {
  readonly id: string;
  readonly bytes: number;
  readonly serial: string | undefined;
  /** Undefined where there is no such sector. */
  read(sector: number): Buffer | undefined;
  /** False where it cannot be written. */
  write(sector: number, bytes: Buffer): boolean;
}

const SECTOR = 512;

/** `write DISK SECTOR WORD` and `read DISK SECTOR`, a disk meant by its serial or its id; the answers are those of the test guest. */
export function diskCommand(
  command: "read" | "write",
  disks: readonly GuestDisk[],
  words: readonly string[],
): string {
  const [name = "", number = "", ...rest] = words;
  const disk = disks.find(({ id, serial }) => serial === name || id === name);
  if (disk === undefined) return `error no disk ${name}`;
  if (!/^\d+$/.test(number)) return `error no sector ${number}`;
  const sector = Number(number);
  if (command === "read") return contentOf(disk.read(sector));
  const line = `${rest.join(" ")}\n`;
  const bytes = Buffer.alloc(SECTOR, line);
  return disk.write(sector, bytes) ? "ok" : "error disk status 1";
}

function contentOf(sector: Buffer | undefined): string {
  if (sector === undefined) return "error disk status 1";
  if (sector.every((byte) => byte === 0)) return "zero";
  const text = sector.toString("latin1");
  const line = text.split("\n", 1)[0] as string;
  const isPattern = line !== "" && text === `${line}\n`.repeat(SECTOR).slice(0, SECTOR);
  return isPattern ? `data ${line}` : `other ${sector.toString("hex", 0, 16)}`;
}
