/** What archives of images have in them: those of OCI, and those of `docker save`. */
const known =
  /^(?:oci-layout|index\.json|manifest\.json|repositories|blobs|blobs\/sha(?:256|384|512)|blobs\/sha(?:256|384|512)\/[0-9a-f]{64,128}|[0-9a-f]{64}(?:\.json|\.tar)?|[0-9a-f]{64}\/(?:json|VERSION|layer\.tar))$/;

/** Whether an entry is the first one of an image's archive; that of a root directory begins otherwise. */
export function beginsImage(path: string): boolean {
  return path === "" || known.test(path);
}
