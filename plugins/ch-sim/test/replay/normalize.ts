import { toRecorded } from "./paths.ts";

/**
 * What differs from one host and one run to the next, as rules for texts: process ids, terminals, times, addresses that are
 * made up, and the stack that an error may carry.
 */
const TEXT_RULES: ReadonlyArray<readonly [RegExp, string]> = [
  [/\/dev\/pts\/\d+/g, "/dev/pts/N"],
  [/"pid":\d+/g, '"pid":0'],
  [/\b2e(?::[0-9a-f]{2}){5}\b/g, "2e:made:up"],
];

/** A text with everything taken out that differs between runs. */
export function normalText(text: string): string {
  let result = withoutStacks(toRecorded(text));
  for (const [pattern, replacement] of TEXT_RULES) result = result.replaceAll(pattern, replacement);
  return result;
}

/** An error's text without the stacks that errors inside of it carry; the brackets after each of them stay. */
function withoutStacks(text: string): string {
  const [first = "", ...rest] = text.split("\n\nStack backtrace:");
  return first + rest.map((part) => /\)*$/.exec(part)?.[0] ?? "").join("");
}

/** Objects whose keys come in no order, by the name of the key that they are under. */
const UNORDERED = new Set(["device_tree"]);
/** Values that a host or a guest's doings decide, by key. */
const HOST_VALUES = new Set(["host_mac"]);

/**
 * A JSON text as one in which equal things are equal texts. `counters` says that the text is the answer to `vm.counters`: its
 * devices and their counters come in no order, and their values are the guest's doing.
 */
export function normalJson(text: string, counters = false): string {
  let value: unknown;
  try {
    value = JSON.parse(quoteBigNumbers(text));
  } catch {
    return normalText(text);
  }
  return JSON.stringify(normalValue(value, counters, counters), undefined, 1);
}

/** Numbers beyond the safe ones are compared as the digits that they are. */
function quoteBigNumbers(text: string): string {
  return text.replaceAll(/(?<=[[:,]\s*)\d{16,}(?=\s*[\],}])/g, '"$&"');
}

function normalValue(value: unknown, unordered: boolean, counters: boolean): unknown {
  if (typeof value === "string") return normalText(value);
  if (Array.isArray(value)) return value.map((item) => normalValue(item, false, counters));
  if (value === null || typeof value !== "object") return counters ? 0 : value;
  const entries = Object.entries(value);
  if (unordered) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([key, item]) => {
      if (HOST_VALUES.has(key)) return [key, "host"];
      if (key === "pid") return [key, 0];
      if (counters && (item === null || typeof item !== "object")) return [key, 0];
      return [key, normalValue(item, counters || UNORDERED.has(key), counters)];
    }),
  );
}

/** A raw exchange, in which the length of an answer depends on how long the process id is. */
export function normalRaw(text: string): string {
  return text.replaceAll(
    /Content-Length: (\d+)(\r\n\r\n\{"build_version":"[^"]*","version":"[^"]*","pid":)(\d+)/g,
    (_all, length: string, middle: string, pid: string) =>
      `Content-Length: ${Number(length) - pid.length}${middle}0`,
  );
}

/**
 * What a program said as it ended: the fatal error, the numbered chain of errors, or the whole text where there is neither.
 * Lines of the log that are not about the end are left out: they tell of the host.
 */
export function normalStderr(text: string): string {
  const lines = normalText(
    text.replaceAll("\r\n", "\n").replaceAll(/\n\nStack backtrace:[\s\S]*?(?=\nError: |$)/g, ""),
  ).split("\n");
  // A recording may hold only the end of what was said, from within a line.
  const isCut =
    lines.length > 1 && !/^(?:cloud-hypervisor|[Ee]rror|thread|\[|\s|$)/.test(lines[0] ?? "");
  return (isCut && text.includes("\ncloud-hypervisor: ") ? lines.slice(1) : lines)
    .map((line) => line.replace(/^(thread '\w+') \(\d+\)/, "$1").replace(/^\[\S+Z /, "[time "))
    .filter(
      (line) =>
        !/^(?:note: run with `RUST_BACKTRACE|stack backtrace:|note: Some details are omitted|\s+\d+: <unknown>)/.test(
          line,
        ),
    )
    .filter((line) => !/^cloud-hypervisor: .*<\S+> (?:WARN|INFO|DEBUG|ERROR)/.test(line))
    .join("\n")
    .trim();
}

/** The fatal error's inner name, `VmBoot(KernelFile(Os { … }))`, out of what a program said; undefined where there was none. */
export function fatalError(text: string): string | undefined {
  const found =
    /Fatal error: ([\s\S]*?)(?:\n\nStack backtrace|\n(?:Error|cloud-hypervisor): |\n*$)/.exec(
      text,
    )?.[1];
  // A stack stands in the middle of the text: the brackets after it are cut off with it.
  return found === undefined ? undefined : normalText(found).trim().replace(/\)+$/, "");
}
