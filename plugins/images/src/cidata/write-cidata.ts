import type { Host } from "@silkvm/core";
import { makeFat } from "./fat.ts";
import { seedFiles, type SeedRequest } from "./seed.ts";

/** The disk from which cloud-init takes a seed: FAT, label CIDATA. The same seed and time give the same bytes. */
export function cidataImage(request: SeedRequest, timeMs: number): Uint8Array {
  const files = Object.entries(seedFiles(request)).map(([name, content]) => ({
    name,
    content: typeof content === "string" ? Buffer.from(content) : content,
  }));
  const id = process.getBuiltinModule("node:crypto").hash("sha256", request.instanceId, "buffer");
  return makeFat(files, { label: "CIDATA", volumeId: id.readUInt32LE(0), timeMs });
}

/**
 * Writes the disk, whole or not at all; for its owner alone, because of what user-data may have in it. One that is there is replaced.
 * @throws SilkError `INVALID_SSH_KEY`, `INVALID_USER`, `INVALID_USER_DATA`
 */
export async function writeCidata(host: Host, path: string, request: SeedRequest): Promise<void> {
  await host.files.writeAtomic(path, cidataImage(request, host.clock.now()), { mode: 0o600 });
}
