import { readFileSync } from "node:fs";

/** An error answer of a real v53. */
export interface ErrorAnswer {
  readonly status: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Every different error answer that was seen from a real v53. */
export const errorAnswers: readonly ErrorAnswer[] = jsonLines("error-answers.jsonl").map(
  (line) => JSON.parse(line) as ErrorAnswer,
);

/** `vm.info` answers of a real v53, of every shape that was seen, as JSON texts. */
export const vmInfoAnswers: readonly string[] = jsonLines("vm-info-answers.jsonl");

/** An error answer by a part of its body. */
export function errorAnswer(path: string, part: string): ErrorAnswer {
  const found = errorAnswers.find(
    (answer) => answer.path === `/api/v1/${path}` && answer.body.includes(part),
  );
  if (found === undefined) throw new Error(`No answer of ${path} has ${part}`);
  return found;
}

function jsonLines(name: string): string[] {
  return readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");
}
