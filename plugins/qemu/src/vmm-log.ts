/** `qemu-system-x86_64: -device …: what it says`; what follows without a name in front belongs to it. */
const complaint = /^(?:\d{4}-\d\d-\d\dT\S+ )?\S*qemu\S*: (?<text>.*)$/;

/** What QEMU's log says of its end, the last of it first. Empty where it says nothing. */
export function complaints(log: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const line of log) {
    const text = complaint.exec(line)?.groups?.["text"];
    if (text === undefined) continue;
    if (/^warning: |^info: |^terminating on signal/.test(text)) continue;
    found.push(text);
  }
  return found;
}

/** A complaint without the argument that it is about, which may be a page of JSON. */
export function withoutArgument(text: string): string {
  return text.replace(/^-[a-z]+ (?:\{.*?\}|\S+): /, "");
}
