import type * as Crypto from "node:crypto";
import { imageInvalid } from "./errors.ts";

const lengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** A digest as OCI writes it: `sha256:…`. */
export interface Digest {
  readonly algorithm: "sha256" | "sha384" | "sha512";
  readonly hex: string;
}

/** @throws SilkError `IMAGE_INVALID` */
export function parseDigest(text: string): Digest {
  const [, algorithm = "", hex = ""] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(text) ?? [];
  if (lengths[algorithm] !== hex.length || hex === "")
    throw imageInvalid(`${JSON.stringify(text.slice(0, 100))} is no digest that is known`);
  return { algorithm: algorithm as Digest["algorithm"], hex };
}

export function isDigest(text: string): boolean {
  const [, algorithm = "", hex = ""] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(text) ?? [];
  return hex !== "" && lengths[algorithm] === hex.length;
}

export function digestOf(bytes: Uint8Array, algorithm: Digest["algorithm"] = "sha256"): string {
  const crypto: typeof Crypto = process.getBuiltinModule("node:crypto");
  return `${algorithm}:${crypto.hash(algorithm, bytes, "hex")}`;
}

export function hashFor(text: string): Crypto.Hash {
  const crypto: typeof Crypto = process.getBuiltinModule("node:crypto");
  return crypto.createHash(parseDigest(text).algorithm);
}
