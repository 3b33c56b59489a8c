import { join } from "node:path";
import type { Host } from "@silkvm/core";
import { SequentialWriter } from "../files/sequential-writer.ts";

/** A kernel or an initrd of a layer, kept as a file of its own for the VMM to read. */
export interface KeptBootFile {
  readonly blobId: string;
  /** Where it is now. */
  readonly filePath: string;
  readonly sizeBytes: number;
}

interface OpenBootFile extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<KeptBootFile>;
}

/** Keeps what may be a kernel or an initrd, as it goes by. */
export class BootFileWriter {
  readonly kept: KeptBootFile[] = [];
  readonly #host: Host;
  readonly #directory: string;
  #count = 0;

  constructor(host: Host, directory: string) {
    this.#host = host;
    this.#directory = directory;
  }

  async begin(path: string): Promise<OpenBootFile> {
    const filePath = join(this.#directory, `boot-${++this.#count}`);
    const file = await this.#host.files.open(filePath, "create");
    const writer = new SequentialWriter(file);
    const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
    const kind = /(?:^|\/)init/.test(path) ? "initrd" : "kernel";
    return {
      write: async (bytes) => {
        hash.update(bytes);
        await writer.write(bytes);
      },
      end: async () => {
        await writer.finish();
        const blobId = `${hash.digest("hex")}.${kind}`;
        const kept = { blobId, filePath, sizeBytes: writer.position };
        this.kept.push(kept);
        return kept;
      },
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    };
  }
}
