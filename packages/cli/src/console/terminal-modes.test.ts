import { describe, expect, it } from "vitest";
import { TerminalModes } from "./terminal-modes.ts";

const plain = "\u001b[0m";

function restoreAfter(...pieces: string[]): string {
  const modes = new TerminalModes();
  for (const piece of pieces) modes.watch(Buffer.from(piece));
  return modes.restore();
}

describe("TerminalModes", () => {
  it("has nothing to restore where the guest said nothing", () => {
    expect(restoreAfter()).toBe("");
  });

  it("takes colours back, whatever the guest wrote", () => {
    expect(restoreAfter("login: ")).toBe(plain);
  });

  it("leaves the other screen, mouse and paste modes, and shows the cursor", () => {
    expect(restoreAfter("\u001b[?1049h\u001b[?25l text \u001b[?1000;1006h\u001b[?2004h")).toBe(
      `\u001b[?1049l\u001b[?25h\u001b[?1000l\u001b[?1006l\u001b[?2004l${plain}`,
    );
  });

  it("does not undo what the guest has undone itself", () => {
    expect(restoreAfter("\u001b[?1049h\u001b[?25l", "\u001b[?25h\u001b[?1049l")).toBe(plain);
    expect(restoreAfter("\u001b[?1049h\u001b=\u001bc")).toBe(plain);
  });

  it("sees a sequence that comes in two pieces, and sees it once", () => {
    expect(restoreAfter("\u001b[?10", "49h")).toBe(`\u001b[?1049l${plain}`);
    expect(restoreAfter("\u001b[?1049h", "a", "\u001b[?1049l", "b")).toBe(plain);
  });

  it("leaves a guest's unknown modes and plain text alone", () => {
    expect(restoreAfter("\u001b[?9999h [?1049h \u001b[1049h")).toBe(plain);
  });
});
