import { signRequest } from "./sign.ts";

/** A bucket of an object store that speaks S3's protocol. */
export interface Bucket {
  /** Such as `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly name: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface BucketRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly signal: AbortSignal;
}

/** Makes one request of a bucket. Throws where the store refuses it. */
export async function callBucket(bucket: Bucket, request: BucketRequest): Promise<Response> {
  const { method, key, query = {}, body, signal } = request;
  const path = [bucket.name, ...key.split("/")].map(encodeURIComponent).join("/");
  const url = new URL(`${bucket.endpoint}/${path}?${new URLSearchParams(query).toString()}`);
  const headers = signRequest(bucket, { method, url, at: new Date() });
  const response = await fetch(url, {
    method,
    headers,
    signal,
    ...(body !== undefined && { body }),
  });
  if (!response.ok)
    throw new Error(`${method} ${key}: ${response.status} ${await response.text()}`);
  return response;
}
