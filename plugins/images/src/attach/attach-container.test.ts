import { Duplex, type Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { attachContainer } from "./attach-container.ts";

/** A console whose guest says something as soon as it is told to go. */
function consoleOf(says: (nonce: string) => readonly string[]): Duplex {
  let heard = "";
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      heard += chunk.toString();
      const [, nonce] = /silk-attach (\w+)\n/.exec(heard) ?? [];
      if (nonce !== undefined && !heard.includes("silk-go")) stream.push(`silk-begin ${nonce}\n`);
      if (heard.includes("silk-go")) {
        for (const text of says(nonce ?? "")) stream.push(text);
        heard = "silk-attach -";
      }
      done();
    },
  });
  return stream;
}

async function readSlowly(from: Readable): Promise<string> {
  let text = "";
  for await (const chunk of from) {
    await setImmediate();
    text += String(chunk);
  }
  return text;
}

it.each([true, false])(
  "whoever reads slowly gets all that a program writes, with stderr apart: %s",
  async (apart) => {
    const [out, err] = ["o".repeat(50_000), "e".repeat(40_000)];
    const stream = consoleOf((nonce) => [
      ...Array.from({ length: 5 }, () => (apart ? out + mark(nonce, err) + out : out + err + out)),
      `silk-end ${nonce} exit 3\n`,
    ]);
    const resize = (): void => {};
    const console = { stream, path: "", kind: "socket", resize } as const;
    using attachment = attachContainer(
      { ...console, [Symbol.asyncDispose]: async () => {} },
      { tty: false, apart },
    );
    const [output, errors] = await Promise.all(
      [attachment.output, attachment.errors].map(readSlowly),
    );
    expect(output === (apart ? out + out : out + err + out).repeat(5)).toBe(true);
    expect(errors === (apart ? err.repeat(5) : "")).toBe(true);
    expect(await attachment.ended).toEqual({ exitCode: 3 });
  },
);

const mark = (nonce: string, text: string): string => `silk-err ${nonce} ${text.length}\n${text}`;
