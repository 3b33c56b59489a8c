let holders = 0;
let restore: () => void;

/** Makes `process.exit` throw until it is disposed of: a module that would end the process as it is loaded takes nothing else down. */
export function forbidExit(): Disposable {
  if (holders === 0) {
    const own = Object.getOwnPropertyDescriptor(process, "exit") as PropertyDescriptor;
    restore = () => void Object.defineProperty(process, "exit", own);
    process.exit = (code) => {
      throw new Error(`it would end the process as it is loaded: process.exit(${code ?? ""})`);
    };
  }
  holders += 1;
  return {
    [Symbol.dispose]() {
      holders -= 1;
      if (holders === 0) restore();
    },
  };
}
