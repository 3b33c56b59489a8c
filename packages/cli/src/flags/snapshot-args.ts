import { string } from "@oclif/core/args";

const description = "id, the beginning of an id, or name";

/** One snapshot. Never read from stdin: what is piped into silk is not a ref. */
export const oneSnapshot = {
  snapshot: string({ description, required: true, ignoreStdin: true }),
};

/** One snapshot or more. */
export const someSnapshots = {
  snapshot: string({ description, required: true, multiple: true, ignoreStdin: true }),
};

/** A snapshot, unless `--from-dir` names one. */
export const maybeSnapshot = {
  snapshot: string({ description: `${description} of a snapshot`, ignoreStdin: true }),
};
