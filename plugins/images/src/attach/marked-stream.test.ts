import { expect, it } from "vitest";
import { MarkedStream } from "./marked-stream.ts";

const nonce = "0123456789abcdef";

/** What comes out of a stream that is cut into pieces of a size. */
function readIn(text: string, size: number): { readonly bytes: string; readonly marks: string[] } {
  const stream = new MarkedStream(["begin", "end"], nonce);
  let bytes = "";
  const marks: string[] = [];
  for (let at = 0; at < text.length; at += size)
    for (const piece of stream.take(Buffer.from(text.slice(at, at + size), "latin1")))
      if (piece.type === "bytes") bytes += piece.bytes.toString("latin1");
      else marks.push([piece.mark, ...piece.words].join(" "));
  return { bytes: bytes + stream.end().toString("latin1"), marks };
}

it.each([1, 2, 7, 20, 1000])(
  "marks are found wherever they stand, cut into pieces of %i",
  (size) => {
    const text = `early\r\nbegin ${nonce}\nabc begin ${nonce.slice(1)} begin end begin ${nonce.slice(0, 9)}x\0\u00ffend ${nonce} exit 3\r\n`;
    expect(readIn(text, size)).toEqual({
      bytes: `early\r\nabc begin ${nonce.slice(1)} begin end begin ${nonce.slice(0, 9)}x\0\u00ff`,
      marks: ["begin ", "end exit 3"],
    });
  },
);

it("nothing is held back that cannot become a mark", () => {
  const stream = new MarkedStream(["begin"], nonce);
  expect(stream.take(Buffer.from("a prompt: "))).toEqual([
    { type: "bytes", bytes: Buffer.from("a prompt: ") },
  ]);
  expect(stream.take(Buffer.from("beg"))).toEqual([]);
  expect(stream.take(Buffer.from("gar"))).toEqual([
    { type: "bytes", bytes: Buffer.from("beggar") },
  ]);
});
