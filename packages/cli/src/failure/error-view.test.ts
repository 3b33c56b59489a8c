import { describe, expect, it } from "vitest";
import { renderError } from "./error-view.ts";

const base = { code: "X", kind: "failed", retryable: false } as const;

describe("renderError", () => {
  it("is one line of what went wrong and one of what to do", () => {
    expect(renderError({ ...base, message: "it broke", hint: "Mend it." }, { color: false })).toBe(
      "Error: it broke\nHint: Mend it.\n",
    );
  });

  it("says why, where that says more", () => {
    const error = { ...base, message: "it broke", causes: ["the disk is full", "ENOSPC\nwrite"] };
    expect(renderError(error, { color: false })).toBe(
      "Error: it broke\n  because: the disk is full\n  because: ENOSPC\n  write\n",
    );
  });

  it("does not explain an abort by an abort", () => {
    const error = {
      ...base,
      message: "cannot start web: aborted",
      causes: ["This operation was aborted"],
    };
    expect(renderError(error, { color: false })).toBe("Error: cannot start web: aborted\n");
  });

  it("asks for a report where the fault is silk's", () => {
    const text = renderError({ ...base, kind: "internal", message: "x" }, { color: false });
    expect(text).toMatch(/^Error: x\nHint: This is a fault in silk .* report it at https:/);
  });

  it("lets no output of a guest or a VMM drive the terminal", () => {
    expect(renderError({ ...base, message: "log: \u001b[2J" }, { color: true })).toBe(
      "\u001b[31mError:\u001b[39m log: \ufffd[2J\n",
    );
  });
});
