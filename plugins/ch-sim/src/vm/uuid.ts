const GROUP_STARTS = [0, 9, 14, 19, 24];
const GROUP_LENGTHS = [8, 4, 4, 4, 12];

/** A fault of a UUID, in the words of the library that the real program reads it with, and as its log shows it. */
export interface UuidFault {
  readonly message: string;
  readonly detail: string;
}

/** What is wrong with a UUID; undefined where nothing is. */
export function uuidFault(text: string): UuidFault | undefined {
  const braced = /^\{(.*)\}$/su.exec(text)?.[1];
  const urn = text.startsWith("urn:uuid:") ? text.slice(9) : undefined;
  const inner = braced ?? urn ?? text;
  if (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(inner)) return undefined;
  if (inner === text && /^[\da-f]{32}$/i.test(text)) return undefined;
  const offset = braced !== undefined ? 1 : urn !== undefined ? 9 : 0;
  const wrong = /[^\da-f-]/iu.exec(inner);
  if (wrong !== null) {
    const index = wrong.index + offset;
    return {
      message: `invalid character: found \`${wrong[0]}\` at ${index}`,
      detail: `ParseChar { character: '${wrong[0]}', index: ${index} }`,
    };
  }
  const groups = inner.split("-");
  if (groups.length === 1 && inner === text) {
    return {
      message: `invalid length: found ${text.length}`,
      detail: `ParseLength { len: ${text.length} }`,
    };
  }
  if (groups.length !== 5) {
    return {
      message: `invalid group count: expected 5, found ${groups.length}`,
      detail: `ParseGroupCount { count: ${groups.length} }`,
    };
  }
  let at = 0;
  for (const [index, group] of groups.entries()) {
    const start = GROUP_STARTS[index] ?? 0;
    const end = at + group.length;
    at = end + 1;
    const last = index === 4;
    const length = (last ? text.length : end) - start;
    if (last || end !== (GROUP_STARTS[index + 1] ?? 0) - 1)
      return {
        message: `invalid group length in group ${index}: expected ${GROUP_LENGTHS[index]}, found ${length}`,
        detail: `ParseGroupLength { group: ${index}, len: ${length}, index: ${start + offset + 1} }`,
      };
  }
  return undefined;
}
