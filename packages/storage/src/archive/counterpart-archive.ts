import {
  type Host,
  type SnapshotFile,
  type SnapshotManifest,
  SilkError,
  validate,
} from "@silkvm/core";
import { archiveInvalid } from "../tar/archive-invalid.ts";
import type { UnpackedFile, UnpackRule } from "../tar/unpack-files.ts";
import { counterpartManifest } from "./counterpart-manifest.ts";
import {
  type CounterpartConfig,
  type Envelope,
  envelopeSchema,
  type Sidecar,
  sidecarSchema,
  vmConfigSchema,
} from "./counterpart-schema.ts";
import type { ArchiveKind } from "./import-snapshot.ts";

/** The first file of an archive of Cocoon's. */
export const counterpartName = "snapshot.json";

const configName = "config.json";
const sidecarName = "cocoon.json";
const mib = 1024 ** 2;
const tib = 1024 ** 4;

/** The files that such an archive may have, and how large each may be. */
const files: readonly (readonly [name: RegExp, maxBytes: number])[] = [
  [/^config\.json$/, 16 * mib],
  [/^state\.json$/, 256 * mib],
  [/^memory-range[a-z0-9-]*$/, 64 * tib],
  [/^cow\.raw$/, 64 * tib],
  [/^overlay\.qcow2$/, 64 * tib],
  [/^data-[a-z][a-z0-9_-]{0,19}\.raw$/, 64 * tib],
  [/^cidata\.img$/, 1024 * mib],
];

/** An archive of `cocoon snapshot export`, which has no digests: its own parts must agree with one another. */
export class CounterpartArchive implements ArchiveKind {
  readonly totalBytes = undefined;
  readonly #host: Host;
  readonly #envelope: Envelope;
  readonly #files: SnapshotFile[] = [];
  #sidecar: Sidecar | undefined;
  #savedMs: number;

  /** @throws SilkError `ARCHIVE_INVALID`, `SNAPSHOT_UNSUPPORTED` */
  constructor(host: Host, { content, modifiedMs }: UnpackedFile) {
    this.#host = host;
    this.#savedMs = modifiedMs;
    this.#envelope = check(envelopeSchema, content, counterpartName);
    const { hypervisor } = this.#envelope.config;
    if (hypervisor !== "" && hypervisor !== "cloud-hypervisor")
      throw new SilkError(
        `the archive is a snapshot of a VM of ${JSON.stringify(hypervisor)}, and only those of Cloud Hypervisor can be imported`,
        { code: "SNAPSHOT_UNSUPPORTED", kind: "unsupported", details: { hypervisor } },
      );
  }

  rule(name: string): UnpackRule | undefined {
    if (name === sidecarName) return { action: "keep", maxBytes: 4 * mib };
    const maxBytes = files.find(([pattern]) => pattern.test(name))?.[1];
    return maxBytes === undefined ? undefined : { action: "write", maxBytes };
  }

  take({ name, sizeBytes, chunksSha256, modifiedMs, content }: UnpackedFile): void {
    if (name === sidecarName) {
      this.#sidecar = check(sidecarSchema, content, sidecarName);
      return;
    }
    if (name === "state.json") this.#savedMs = modifiedMs;
    this.#files.push({ name, sizeBytes, chunksSha256 });
  }

  async manifest(directory: string): Promise<SnapshotManifest> {
    const names = this.#files.map(({ name }) => name);
    for (const needed of [configName, "state.json"])
      if (!names.includes(needed)) throw archiveInvalid(`${needed} is missing`);
    if (!names.some((name) => name.startsWith("memory-range")))
      throw archiveInvalid("the guest's memory is missing");
    if (this.#sidecar === undefined) throw archiveInvalid(`${sidecarName} is missing`);
    const text = await this.#host.files.readText(`${directory}/${configName}`);
    const config: CounterpartConfig = check(vmConfigSchema, Buffer.from(text), configName);
    return await counterpartManifest(this.#host, directory, {
      envelope: this.#envelope,
      sidecar: this.#sidecar,
      config,
      files: this.#files,
      savedMs: this.#savedMs,
    });
  }
}

function check<S extends Parameters<typeof validate>[0]>(
  schema: S,
  content: Buffer | undefined,
  name: string,
): ReturnType<typeof validate<S>> {
  return validate(schema, parseJson(content, name), "ARCHIVE_INVALID", `the archive's ${name}`);
}

/** @throws SilkError `ARCHIVE_INVALID` */
function parseJson(content: Buffer | undefined, name: string): unknown {
  try {
    return JSON.parse(content?.toString("utf8") ?? "");
  } catch (error) {
    throw archiveInvalid(`${name} in it is no JSON`, error);
  }
}
