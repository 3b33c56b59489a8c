import { SilkError, type SilkErrorOptions } from "@silkvm/core";

type More = Pick<SilkErrorOptions, "hint" | "details" | "cause">;

/** A name that cannot be one of an image. */
export function invalidReference(text: string, why: string): SilkError {
  return new SilkError(`${JSON.stringify(text)} is no name of an image: ${why}`, {
    code: "INVALID_IMAGE_NAME",
    kind: "invalid",
    hint: "Names are like debian:12, ghcr.io/acme/web:1.4 or localhost:5000/web@sha256:….",
    details: { name: text },
  });
}

/** An image that is not what an image must be. */
export function imageInvalid(message: string, more: More = {}): SilkError {
  return new SilkError(message, { code: "IMAGE_INVALID", kind: "invalid", ...more });
}

/** A layer that is damaged, or not to be unpacked. */
export function layerInvalid(why: string, cause?: unknown): SilkError {
  return new SilkError(`a layer of the image is not valid: ${why}`, {
    code: "LAYER_INVALID",
    kind: "invalid",
    hint: "Build the image again, or pull another tag of it.",
    cause,
  });
}

/** A layer, or a disk, that is larger than is allowed. */
export function tooLarge(what: string, limitBytes: number): SilkError {
  return new SilkError(`${what} is larger than ${limitBytes} bytes when it is unpacked`, {
    code: "IMAGE_TOO_LARGE",
    kind: "invalid",
    hint: "If the image is trusted, allow more with the limit `unpackedBytes`.",
    details: { limitBytes },
  });
}

/** Content that is not what its digest says. */
export function digestMismatch(what: string, expected: string, actual: string): SilkError {
  return new SilkError(`${what} has the digest ${actual}, and ${expected} was expected`, {
    code: "DIGEST_MISMATCH",
    kind: "failed",
    hint: "What was received is damaged, or was tampered with. Try again; if it stays so, ask whoever publishes the image.",
    details: { expected, actual },
  });
}

/** A name as a message can show it: what is odd in it is escaped, and it is not long. */
export function shown(name: string): string {
  const short = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  return /^[\w./+:@-]+$/.test(short) ? short : JSON.stringify(short);
}
