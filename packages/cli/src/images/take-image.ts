import type { ImageProgress, PullResult } from "@silkvm/images";
import type { OpenEngine } from "../engine.ts";
import { PullMeter } from "./pull-meter.ts";

/** What a pull or an import is given besides what it is of. */
interface TakeCall {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ImageProgress) => void;
  readonly onWarning: (message: string) => void;
}

/**
 * Pulls or imports an image, telling a person who waits how far it is.
 * @param doing `pulling debian:12`
 * @param failed what to say where it is not done: `cannot pull debian:12`
 */
export async function takeImage(
  open: OpenEngine,
  { doing, failed }: { readonly doing: string; readonly failed: string },
  take: (call: TakeCall) => Promise<PullResult>,
): Promise<PullResult> {
  const { onWarning } = open.change(doing);
  const tell = open.progress.count(doing);
  const meter = new PullMeter();
  let result: PullResult | undefined;
  await open.deadline.follow(
    failed,
    async (signal) => {
      result = await take({
        signal,
        onWarning: (message) => onWarning?.(message),
        onProgress: (event) => {
          const { line, arrived } = meter.see(event, performance.now());
          if (arrived !== undefined) open.note(arrived);
          tell(line);
        },
      });
    },
    [],
  );
  if (result === undefined) throw new Error("it ended without an image");
  return result;
}
