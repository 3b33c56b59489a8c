import type { Readable, Writable } from "node:stream";

/** Copies what is read to a writer, no faster than it takes it; `take` sees each piece and may answer it instead. Does not end the writer. */
export function pump(
  from: Readable,
  to: Writable,
  take: (bytes: Uint8Array) => readonly Uint8Array[],
): Disposable {
  const onData = (bytes: Uint8Array): void => {
    let ready = true;
    for (const piece of take(bytes)) ready = to.write(piece) && ready;
    if (!ready) from.pause();
  };
  const onDrain = (): void => void from.resume();
  from.on("data", onData);
  to.on("drain", onDrain);
  return {
    [Symbol.dispose]: () => {
      from.off("data", onData);
      to.off("drain", onDrain);
      from.pause();
    },
  };
}
