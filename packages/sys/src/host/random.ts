/** Random bytes for names and ids. Node's crypto module takes 5 ms to load, which a command that only reads does not need. */
export function randomBytes(count: number): Uint8Array {
  return process.getBuiltinModule("node:crypto").randomBytes(count);
}
