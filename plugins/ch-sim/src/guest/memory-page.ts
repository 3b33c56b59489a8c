/** Where the guest keeps what it knows: a page of its memory that every snapshot holds. */
export const STATE_PAGE_ADDRESS = 0x10_0000;
export const PAGE_BYTES = 4096;

const MAGIC = "SILKSIM1";

/** What the guest remembers as long as its memory lasts. */
export interface GuestMemoryState {
  /** Drawn at boot; the same after a restore. */
  readonly nonce: string;
  /** How long the guest has run since boot, in milliseconds, pauses not counted. */
  readonly ranMs: number;
  /** What was put into memory through the shell. */
  readonly values: Readonly<Record<string, string>>;
}

/** The page that holds a state. */
export function encodePage(state: GuestMemoryState): Buffer {
  const text = Buffer.from(JSON.stringify(state));
  const page = Buffer.alloc(PAGE_BYTES);
  page.write(MAGIC, 0, "latin1");
  page.writeUInt32LE(Math.min(text.length, PAGE_BYTES - 12), 8);
  text.copy(page, 12, 0, PAGE_BYTES - 12);
  return page;
}

/** The state that a page holds; undefined where it is no such page, as in memory that was lost. */
export function decodePage(page: Buffer): GuestMemoryState | undefined {
  if (page.length < 12 || page.toString("latin1", 0, 8) !== MAGIC) return undefined;
  try {
    return JSON.parse(page.toString("utf8", 12, 12 + page.readUInt32LE(8))) as GuestMemoryState;
  } catch {
    return undefined;
  }
}
