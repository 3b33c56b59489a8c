import { StringDecoder } from "node:string_decoder";
import { resolveVm } from "../refs.ts";
import type { EngineCore } from "./core.ts";
import type { LogOptions } from "./types.ts";

const chunkBytes = 64 * 1024;
const pollMs = 200;

/** A VM's log in pieces as they come, whole characters each. */
export async function* readLogs(
  core: EngineCore,
  ref: string,
  options: LogOptions,
): AsyncGenerator<string, void, undefined> {
  const vm = core.read((store) => resolveVm(store, ref));
  const { logPath } = core.paths(vm);
  const { files, clock } = core.host;
  const until = core.until(options.signal);
  let offset =
    options.tailLines === undefined ? 0 : await findTail(core, logPath, options.tailLines);
  const decoder = new StringDecoder("utf8");
  for (;;) {
    const size = (await files.stat(logPath))?.sizeBytes ?? 0;
    // The log of a VM that was removed and made again begins anew.
    if (size < offset) offset = 0;
    while (offset < size) {
      const chunk = await files.readRange(logPath, offset, chunkBytes);
      if (chunk.length === 0) break;
      offset += chunk.length;
      const text = decoder.write(chunk);
      if (text !== "") yield text;
    }
    if (options.follow !== true || until.aborted) break;
    try {
      await clock.delay(pollMs, { signal: until });
    } catch {
      break;
    }
  }
  const rest = decoder.end();
  if (rest !== "") yield rest;
}

/** Where the last lines begin. Reads from the end, and no more than it needs. */
async function findTail(core: EngineCore, path: string, lines: number): Promise<number> {
  let position = (await core.host.files.stat(path))?.sizeBytes ?? 0;
  const end = position;
  if (lines === 0) return end;
  let found = 0;
  while (position > 0) {
    const length = Math.min(chunkBytes, position);
    position -= length;
    const chunk = await core.host.files.readRange(path, position, length);
    for (let index = chunk.length - 1; index >= 0; index--) {
      const isBreak = chunk[index] === 10 && position + index !== end - 1;
      if (isBreak && ++found >= lines) return position + index + 1;
    }
  }
  return 0;
}
