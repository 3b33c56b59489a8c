import { string } from "@oclif/core/args";

const description = "id, the beginning of an id, or name";

/** One VM. Never read from stdin: what is piped into silk is not a ref. */
export const oneVm = { vm: string({ description, required: true, ignoreStdin: true }) };

/** One VM or more. */
export const someVms = {
  vm: string({ description, required: true, multiple: true, ignoreStdin: true }),
};

/** Any number of VMs. */
export const anyVms = {
  vm: string({ description: `${description} [default: all]`, multiple: true, ignoreStdin: true }),
};
