import { createHash, createHmac } from "node:crypto";
import type { Bucket } from "./bucket.ts";

export interface RequestToSign {
  readonly method: string;
  readonly url: URL;
  readonly at: Date;
  /** Headers to sign besides those that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
  /** SHA-256 of the body. Default: the body is not signed, which S3 takes over HTTPS. */
  readonly bodySha256?: string;
}

/** The headers that sign a request by AWS's Signature Version 4. */
export function signRequest(
  { region, accessKeyId, secretAccessKey }: Bucket,
  { method, url, at, headers = {}, bodySha256 = "UNSIGNED-PAYLOAD" }: RequestToSign,
): Record<string, string> {
  const time = at.toISOString().replaceAll(/[:-]|\.\d+/g, "");
  const date = time.slice(0, 8);
  const all: Record<string, string> = {
    ...headers,
    host: url.host,
    "x-amz-content-sha256": bodySha256,
    "x-amz-date": time,
  };
  const names = Object.keys(all).sort();
  const canonical = [
    method,
    url.pathname,
    [...url.searchParams]
      .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
      .sort()
      .join("&"),
    ...names.map((name) => `${name}:${all[name]}`),
    "",
    names.join(";"),
    bodySha256,
  ].join("\n");
  const scope = `${date}/${region}/s3/aws4_request`;
  const hash = createHash("sha256").update(canonical).digest("hex");
  const toSign = ["AWS4-HMAC-SHA256", time, scope, hash].join("\n");
  const key = [date, region, "s3", "aws4_request"].reduce<string | Buffer>(
    (secret, word) => createHmac("sha256", secret).update(word).digest(),
    `AWS4${secretAccessKey}`,
  );
  const signature = createHmac("sha256", key).update(toSign).digest("hex");
  const { host: _, ...sent } = all;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}
