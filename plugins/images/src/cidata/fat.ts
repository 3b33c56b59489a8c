/** A file of a file system that is to be made. */
export interface FatFile {
  /** At most 255 characters, in the root directory. */
  readonly name: string;
  readonly content: Uint8Array;
}

export interface FatOptions {
  /** At most 11 characters of upper-case ASCII. */
  readonly label: string;
  /** 32 bits. */
  readonly volumeId: number;
  /** Time of the files, in milliseconds since 1970; kept to two seconds, in UTC. */
  readonly timeMs: number;
}

const sectorBytes = 512;
const entryBytes = 32;
const rootEntries = 512;
const reservedSectors = 1;
const fatCount = 2;
const media = 0xf8;
/** Up to, and without, so many clusters it is FAT12, and FAT16 up to the second number: that is how every reader tells them apart. */
const fat12Clusters = 4085;
const fat16Clusters = 65_525;
const smallestBytes = 1024 ** 2;

/**
 * Makes a file system of a few files in its root directory, FAT12 or FAT16 as their size needs, with long names.
 * @throws RangeError where the files are larger than FAT16 can hold in clusters of 32 KiB
 */
export function makeFat(files: readonly FatFile[], options: FatOptions): Uint8Array {
  const layout = layOut(files);
  const { totalSectors, fatSectors, sectorsPerCluster, isFat16, firstDataSector } = layout;
  const image = Buffer.alloc(totalSectors * sectorBytes);
  writeBootSector(image, layout, options);
  const fat = new Uint16Array(layout.clusters + 2);
  const endMark = isFat16 ? 0xffff : 0xfff;
  fat[0] = (endMark & 0xff00) | media;
  fat[1] = endMark;
  const rootAt = (reservedSectors + fatCount * fatSectors) * sectorBytes;
  let entryAt = rootAt + writeLabel(image, rootAt, options);
  let cluster = 2;
  for (const [index, { name, content }] of files.entries()) {
    const count = Math.ceil(content.length / (sectorsPerCluster * sectorBytes));
    entryAt += writeEntries(image, entryAt, name, {
      index,
      firstCluster: count === 0 ? 0 : cluster,
      sizeBytes: content.length,
      timeMs: options.timeMs,
    });
    image.set(content, (firstDataSector + (cluster - 2) * sectorsPerCluster) * sectorBytes);
    for (let left = count; left > 0; left -= 1, cluster += 1)
      fat[cluster] = left === 1 ? endMark : cluster + 1;
  }
  for (let copy = 0; copy < fatCount; copy += 1)
    writeFat(image, (reservedSectors + copy * fatSectors) * sectorBytes, fat, isFat16);
  return image;
}

interface Layout {
  readonly sectorsPerCluster: number;
  readonly clusters: number;
  readonly isFat16: boolean;
  readonly fatSectors: number;
  readonly totalSectors: number;
  readonly firstDataSector: number;
}

function layOut(files: readonly FatFile[]): Layout {
  for (let sectorsPerCluster = 1; sectorsPerCluster <= 64; sectorsPerCluster *= 2) {
    const clusterBytes = sectorsPerCluster * sectorBytes;
    const needed = files.reduce(
      (sum, { content }) => sum + Math.ceil(content.length / clusterBytes),
      0,
    );
    const clusters = Math.max(needed, Math.ceil(smallestBytes / clusterBytes));
    const isFat16 = clusters >= fat12Clusters;
    // A little away from the borders, where readers have disagreed.
    if (clusters >= fat16Clusters - 16 || (isFat16 && sectorsPerCluster < 8)) continue;
    const fatBytes = isFat16 ? (clusters + 2) * 2 : Math.ceil(((clusters + 2) * 3) / 2);
    const fatSectors = Math.ceil(fatBytes / sectorBytes);
    const rootSectors = (rootEntries * entryBytes) / sectorBytes;
    const firstDataSector = reservedSectors + fatCount * fatSectors + rootSectors;
    const totalSectors = firstDataSector + clusters * sectorsPerCluster;
    return { sectorsPerCluster, clusters, isFat16, fatSectors, totalSectors, firstDataSector };
  }
  throw new RangeError("the files are too large for FAT16");
}

function writeBootSector(image: Buffer, layout: Layout, { label, volumeId }: FatOptions): void {
  const { totalSectors } = layout;
  image.set([0xeb, 0x3c, 0x90]);
  image.write("MSWIN4.1", 3, "latin1");
  image.writeUInt16LE(sectorBytes, 11);
  image[13] = layout.sectorsPerCluster;
  image.writeUInt16LE(reservedSectors, 14);
  image[16] = fatCount;
  image.writeUInt16LE(rootEntries, 17);
  if (totalSectors < 65_536) image.writeUInt16LE(totalSectors, 19);
  else image.writeUInt32LE(totalSectors, 32);
  image[21] = media;
  image.writeUInt16LE(layout.fatSectors, 22);
  image.writeUInt16LE(32, 24);
  image.writeUInt16LE(64, 26);
  image[36] = 0x80;
  image[38] = 0x29;
  image.writeUInt32LE(volumeId >>> 0, 39);
  image.write(label.padEnd(11), 43, "latin1");
  image.write(layout.isFat16 ? "FAT16   " : "FAT12   ", 54, "latin1");
  image.writeUInt16LE(0xaa55, 510);
}

function writeFat(image: Buffer, at: number, fat: Uint16Array, isFat16: boolean): void {
  for (const [index, value] of fat.entries()) {
    if (isFat16) {
      image.writeUInt16LE(value, at + index * 2);
      continue;
    }
    const offset = at + index + (index >> 1);
    const old = image.readUInt16LE(offset);
    image.writeUInt16LE(
      index % 2 === 0 ? (old & 0xf000) | value : (old & 0x000f) | (value << 4),
      offset,
    );
  }
}

function writeLabel(image: Buffer, at: number, { label, timeMs }: FatOptions): number {
  image.write(label.padEnd(11), at, "latin1");
  image[at + 11] = 0x08;
  writeTimes(image, at, timeMs);
  return entryBytes;
}

/** @returns the bytes that the entries of one file take */
function writeEntries(
  image: Buffer,
  at: number,
  name: string,
  file: {
    readonly index: number;
    readonly firstCluster: number;
    readonly sizeBytes: number;
    readonly timeMs: number;
  },
): number {
  const short = Buffer.from(`SILK~${file.index + 1}`.padEnd(11), "latin1");
  const parts = Math.ceil(name.length / 13);
  let sum = 0;
  for (const byte of short) sum = (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff;
  for (let part = parts; part >= 1; part -= 1) {
    const entry = at + (parts - part) * entryBytes;
    image[entry] = part === parts ? part | 0x40 : part;
    image[entry + 11] = 0x0f;
    image[entry + 13] = sum;
    for (let index = 0; index < 13; index += 1) {
      const position = (part - 1) * 13 + index;
      const unit =
        position < name.length ? name.charCodeAt(position) : position === name.length ? 0 : 0xffff;
      const place =
        index < 5 ? 1 + index * 2 : index < 11 ? 14 + (index - 5) * 2 : 28 + (index - 11) * 2;
      image.writeUInt16LE(unit, entry + place);
    }
  }
  const entry = at + parts * entryBytes;
  image.set(short, entry);
  image[entry + 11] = 0x20;
  writeTimes(image, entry, file.timeMs);
  image.writeUInt16LE(file.firstCluster, entry + 26);
  image.writeUInt32LE(file.sizeBytes, entry + 28);
  return (parts + 1) * entryBytes;
}

function writeTimes(image: Buffer, entry: number, timeMs: number): void {
  const time = new Date(Math.max(timeMs, Date.UTC(1980, 0, 1)));
  const date =
    ((time.getUTCFullYear() - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate();
  const clock =
    (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1);
  image.writeUInt16LE(clock, entry + 14);
  image.writeUInt16LE(date, entry + 16);
  image.writeUInt16LE(date, entry + 18);
  image.writeUInt16LE(clock, entry + 22);
  image.writeUInt16LE(date, entry + 24);
}
