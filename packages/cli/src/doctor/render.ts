import { styleText } from "node:util";
import { displayWidth } from "../output/display-width.ts";
import { printableLine } from "../output/printable.ts";
import { type Finding, groups, type Status } from "./finding.ts";

interface ReportView {
  readonly color: boolean;
  /** Whether the terminal shows characters beyond ASCII. */
  readonly unicode: boolean;
}

const marks: Readonly<
  Record<
    Status,
    {
      readonly unicode: string;
      readonly ascii: string;
      readonly style: "green" | "yellow" | "red" | "dim";
    }
  >
> = {
  ok: { unicode: "✓", ascii: "+", style: "green" },
  warning: { unicode: "!", ascii: "!", style: "yellow" },
  failed: { unicode: "✗", ascii: "x", style: "red" },
  skipped: { unicode: "-", ascii: "-", style: "dim" },
};

/** The report for people: a line for each check, then what there is to do. */
export function renderReport(findings: readonly Finding[], view: ReportView): string {
  const paint = painter(view);
  const width = Math.max(...findings.map(({ title }) => displayWidth(title)));
  const lines: string[] = [];
  for (const group of groups) {
    const members = findings.filter((finding) => finding.group === group);
    if (members.length === 0) continue;
    lines.push(paint("bold", group));
    for (const { status, title, evidence, repaired } of members) {
      const name = title + " ".repeat(width - displayWidth(title));
      const done = repaired === undefined ? "" : ` (${repaired})`;
      lines.push(`  ${mark(status, view)} ${name}  ${printableLine(evidence + done)}`);
    }
    lines.push("");
  }
  for (const [status, heading] of [
    ["failed", "To do"],
    ["warning", "Worth doing"],
  ] as const) {
    const wrong = findings.filter((finding) => finding.status === status);
    if (wrong.length === 0) continue;
    lines.push(paint("bold", heading));
    for (const finding of wrong) lines.push(...advice(finding, view));
    lines.push("");
  }
  lines.push(summary(findings));
  return lines.map((line) => `${line}\n`).join("");
}

/** Whether a locale is one of UTF-8. https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html */
export function isUtf8(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  return /utf-?8/i.test(locale);
}

function advice({ status, title, why, fix, repairFailed }: Finding, view: ReportView): string[] {
  const paint = painter(view);
  const lines = [
    `  ${mark(status, view)} ${title}${why === undefined ? "" : `: ${printableLine(why)}`}`,
  ];
  if (repairFailed !== undefined)
    lines.push(`      Tried, in vain: ${printableLine(repairFailed)}`);
  if (fix !== undefined) {
    lines.push(`      ${printableLine(fix.description)}`);
    if (fix.command !== undefined)
      lines.push(`      ${paint("cyan", `$ ${printableLine(fix.command)}`)}`);
    if (fix.automatic && repairFailed === undefined)
      lines.push(`      ${paint("dim", "`silk doctor --fix` does it.")}`);
  }
  return lines;
}

function summary(findings: readonly Finding[]): string {
  const count = (status: Status): number =>
    findings.filter((finding) => finding.status === status).length;
  const [failed, warnings, skipped] = [count("failed"), count("warning"), count("skipped")];
  const parts = [`${count("ok")} ok`];
  if (warnings > 0) parts.push(`${warnings} warning${warnings === 1 ? "" : "s"}`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  return `${parts.join(", ")}.`;
}

function mark(status: Status, view: ReportView): string {
  const { unicode, ascii, style } = marks[status];
  return painter(view)(style, view.unicode ? unicode : ascii);
}

function painter({
  color,
}: ReportView): (
  style: "bold" | "green" | "yellow" | "red" | "dim" | "cyan",
  text: string,
) => string {
  return (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
}
