import { createHash } from "node:crypto";

/** The digest of a file's content, straight from its definition. */
export function referenceDigest(content: Uint8Array): string {
  const whole = createHash("sha256");
  for (let start = 0; start < content.length; start += 2 ** 20)
    whole.update(
      createHash("sha256")
        .update(content.subarray(start, start + 2 ** 20))
        .digest(),
    );
  return whole.digest("hex");
}
