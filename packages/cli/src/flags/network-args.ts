import { string } from "@oclif/core/args";

/** One network or more. Never read from stdin. */
export const someNetworks = {
  network: string({
    description: "name of a bridge or of another network",
    required: true,
    multiple: true,
    ignoreStdin: true,
  }),
};
