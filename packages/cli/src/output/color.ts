import type { WriteStream } from "node:tty";

/** Whether a stream is a terminal that shows colours, and nobody has said NO_COLOR. */
export function hasColor(
  stream: Pick<WriteStream, "isTTY">,
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  return stream.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}
