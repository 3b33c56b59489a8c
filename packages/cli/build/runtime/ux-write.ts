import { format } from "node:util";

/** oclif's `ux.stdout`, past `console.log`, which makes a stream of its own kind out of stdout. */
export const stdout = writer("stdout");
export const stderr = writer("stderr");

function writer(name: "stdout" | "stderr") {
  return (text?: string | string[], ...rest: string[]): void => {
    const line = Array.isArray(text)
      ? format(...text, ...rest)
      : text
        ? format(text, ...rest)
        : format(...rest);
    process[name].write(`${line}\n`);
  };
}
