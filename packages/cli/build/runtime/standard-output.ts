import { fstatSync, writeSync } from "node:fs";
import { isMemoryDevice } from "silk:dist/hot/terminal";

/**
 * Puts a small stand-in in the place of `process.stdout` and `process.stderr` where they are pipes, files or /dev/null: Node's own take five
 * milliseconds to make. The stand-in writes text and remembers who listens for errors. Whoever asks for more, and a write that does
 * not go through at once, get Node's own, and so does everybody from then on.
 */
export function installStandardOutput(): void {
  if (isPlain(1)) install("stdout", 1);
  if (isPlain(2)) install("stderr", 2);
}

/** A terminal has a size and is watched, and what cannot be examined is best left to Node. */
function isPlain(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket() || stat.isFile() || isMemoryDevice(stat);
  } catch {
    return false;
  }
}

function install(name: "stdout" | "stderr", fd: number): void {
  const original = Object.getOwnPropertyDescriptor(process, name) as PropertyDescriptor;
  const listeners: ((error: Error) => void)[] = [];
  let own: NodeJS.WriteStream | undefined;
  const nodesOwn = (): NodeJS.WriteStream => {
    if (own === undefined) {
      Object.defineProperty(process, name, original);
      own = process[name];
      for (const listener of listeners) own.on("error", listener);
    }
    return own;
  };
  const small: Partial<NodeJS.WriteStream> = {
    write(text: unknown, ...rest: unknown[]) {
      const [done] = rest;
      if (
        typeof text !== "string" ||
        rest.length > 1 ||
        (rest.length === 1 && typeof done !== "function")
      )
        return nodesOwn().write(text as string, ...(rest as []));
      let bytes = Buffer.from(text);
      try {
        while (bytes.length > 0) bytes = bytes.subarray(writeSync(fd, bytes));
      } catch {
        return nodesOwn().write(bytes, ...(rest as []));
      }
      if (done !== undefined) process.nextTick(done as () => void);
      return true;
    },
    on(event: string, listener: (error: Error) => void) {
      if (event !== "error") return nodesOwn().on(event, listener);
      listeners.push(listener);
      return standIn as NodeJS.WriteStream;
    },
  };
  // Not a terminal, and so without a width: known without asking.
  const known: ReadonlySet<string | symbol> = new Set(["write", "on", "isTTY", "columns"]);
  const standIn = new Proxy(small, {
    get(_target, key) {
      if (own === undefined && known.has(key)) return Reflect.get(small, key);
      const value: unknown = Reflect.get(nodesOwn(), key);
      return typeof value === "function" ? value.bind(nodesOwn()) : value;
    },
    set: (_target, key, value) => Reflect.set(nodesOwn(), key, value),
    has: (_target, key) => Reflect.has(nodesOwn(), key),
    getPrototypeOf: () => Object.getPrototypeOf(nodesOwn()) as object,
  });
  Object.defineProperty(process, name, { ...original, get: () => standIn });
}
