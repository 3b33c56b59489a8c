import { describe, expect, it } from "vitest";
import { errorAnswers } from "../test/support/fixtures.ts";
import { errorChain } from "./error-body.ts";

describe("the messages of an error answer", () => {
  it("are the strings of a JSON array, outermost first", () => {
    expect(errorChain('["Error from API","The VM could not boot","VM config is missing"]')).toEqual(
      ["Error from API", "The VM could not boot", "VM config is missing"],
    );
  });

  it("are none for an empty body", () => {
    expect(errorChain("")).toEqual([]);
    expect(errorChain(" \n")).toEqual([]);
  });

  it("are read from what the HTTP server writes, with its raw line break", () => {
    const body =
      '{ "error": "Invalid HTTP Method: Unsupported HTTP method.\nAll previous unanswered requests will be dropped." }';
    expect(() => JSON.parse(body)).toThrow(SyntaxError);
    expect(errorChain(body)).toEqual([
      "Invalid HTTP Method: Unsupported HTTP method.\nAll previous unanswered requests will be dropped.",
    ]);
    expect(errorChain('{ "error": "Too many open connections" }')).toEqual([
      "Too many open connections",
    ]);
  });

  it("are read from one that is cut off or has quotes inside", () => {
    expect(errorChain('{ "error": "Invalid header. Reason: X-A: aaaa')).toEqual([
      "Invalid header. Reason: X-A: aaaa",
    ]);
    expect(errorChain('{ "error": "Key:"a"; Value:"b"\nAll." }')).toEqual([
      'Key:"a"; Value:"b"\nAll.',
    ]);
  });

  it("are the body itself where it is something else", () => {
    expect(errorChain("<html>no</html>")).toEqual(["<html>no</html>"]);
    expect(errorChain('"text"')).toEqual(["text"]);
    expect(errorChain("[1,null]")).toEqual(["1", "null"]);
    expect(errorChain('{"message":"x"}')).toEqual(['{"message":"x"}']);
  });

  it("lose nothing of any answer that was seen from the VMM", () => {
    for (const { body } of errorAnswers) {
      const chain = errorChain(body);
      expect(chain.length > 0 || body === "").toBe(true);
      const written = body.startsWith("[") ? JSON.stringify(chain) : `{ "error": "${chain[0]}" }`;
      if (body !== "") expect(written).toBe(body);
    }
  });
});
