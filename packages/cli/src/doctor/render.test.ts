import { describe, expect, it } from "vitest";
import type { Finding } from "./finding.ts";
import { isUtf8, renderReport } from "./render.ts";

const docs = "https://example.com/#x";
const findings: readonly Finding[] = [
  {
    id: "kvm",
    title: "KVM",
    group: "Virtualization",
    status: "ok",
    evidence: "/dev/kvm opens",
    docs,
  },
  {
    id: "reflink",
    title: "reflink",
    group: "Directories",
    status: "skipped",
    evidence: "not tried",
    docs,
  },
  {
    id: "qemu-img",
    title: "qemu-img",
    group: "Programs",
    status: "warning",
    evidence: "qemu-img is not installed",
    why: "Overlays are made with it.",
    fix: {
      command: "apt-get install qemu-utils",
      description: "Install the package qemu-utils.",
      automatic: false,
    },
    docs,
  },
  {
    id: "root-dir",
    title: "root directory",
    group: "Directories",
    status: "failed",
    evidence: "it is not\nthere\u001b[2J",
    fix: { description: "Make it.", automatic: true },
    docs,
  },
];

describe("renderReport", () => {
  it("groups the checks, one line each, and then lists what to do", () => {
    expect(renderReport(findings, { color: false, unicode: true })).toMatchInlineSnapshot(`
      "Virtualization
        ✓ KVM             /dev/kvm opens

      Programs
        ! qemu-img        qemu-img is not installed

      Directories
        - reflink         not tried
        ✗ root directory  it is not there�[2J

      To do
        ✗ root directory
            Make it.
            \`silk doctor --fix\` does it.

      Worth doing
        ! qemu-img: Overlays are made with it.
            Install the package qemu-utils.
            $ apt-get install qemu-utils

      1 ok, 1 warning, 1 failed, 1 skipped.
      "
    `);
  });

  it("keeps to ASCII where the terminal shows no more", () => {
    const report = renderReport(findings, { color: false, unicode: false });
    expect(report).toMatch(/^[ -~\n\ufffd]*$/);
    expect(report).toContain("  + KVM             /dev/kvm opens\n");
    expect(report).toContain("  x root directory");
  });

  it("says what was mended, and what could not be", () => {
    const mended = renderReport([{ ...(findings[0] as Finding), repaired: "made it" }], {
      color: false,
      unicode: true,
    });
    expect(mended).toContain("/dev/kvm opens (made it)\n");
    const failed = renderReport([{ ...(findings[3] as Finding), repairFailed: "EROFS" }], {
      color: false,
      unicode: true,
    });
    expect(failed).toContain("Tried, in vain: EROFS\n");
    expect(failed).not.toContain("silk doctor --fix");
  });

  it("colours only where it may", () => {
    expect(renderReport(findings, { color: true, unicode: true })).toContain(
      "\u001b[32m✓\u001b[39m",
    );
    expect(renderReport([findings[0] as Finding], { color: false, unicode: true })).not.toContain(
      "\u001b",
    );
  });
});

describe("isUtf8", () => {
  it("goes by the first locale variable that says something", () => {
    expect(isUtf8({ LANG: "en_US.UTF-8" })).toBe(true);
    expect(isUtf8({ LANG: "C.utf8" })).toBe(true);
    expect(isUtf8({ LC_ALL: "C", LANG: "en_US.UTF-8" })).toBe(false);
    expect(isUtf8({ LC_ALL: "", LC_CTYPE: "de_DE.UTF-8", LANG: "C" })).toBe(true);
    expect(isUtf8({})).toBe(false);
  });
});
