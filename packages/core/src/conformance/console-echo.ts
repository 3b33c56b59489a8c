import assert from "node:assert/strict";
import type { Vm } from "../engine/types.ts";

const deadlineMs = 10_000;

/** Writes a line to a VM's console until the expected answer has been read: a guest that is just booting may miss the first. */
export async function expectConsoleEcho(
  vm: Vm,
  echo: { readonly send: string; readonly expect: string },
): Promise<void> {
  await using attached = await vm.console();
  const { stream } = attached;
  const answered = Promise.withResolvers<void>();
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
    if (text.includes(echo.expect)) answered.resolve();
  });
  stream.on("error", (error) => answered.reject(error));
  const send = (): void => void stream.write(`${echo.send}\n`);
  const again = setInterval(send, 500);
  const deadline = setTimeout(() => {
    answered.reject(
      new assert.AssertionError({
        message: `no ${JSON.stringify(echo.expect)} in ${JSON.stringify(text)}`,
      }),
    );
  }, deadlineMs);
  try {
    send();
    await answered.promise;
  } finally {
    clearInterval(again);
    clearTimeout(deadline);
  }
}
