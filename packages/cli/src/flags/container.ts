import { boolean, string } from "@oclif/core/flags";

const helpGroup = "CONTAINER";

/** What `vm create`, `vm run` and `vm debug` take for a container's image. */
export const containerFlags = {
  env: string({
    char: "e",
    description:
      "an environment variable, without a value that of this shell; can be given more than once",
    helpGroup,
    helpValue: "NAME[=VALUE]",
    multiple: true,
    multipleNonGreedy: true,
  }),
  // Docker's name for it, --env-file, is one that Node takes for its own wherever it stands.
  "env-from": string({
    description: "a file of NAME=VALUE lines; can be given more than once",
    helpGroup,
    helpValue: "FILE",
    multiple: true,
    multipleNonGreedy: true,
  }),
  volume: string({
    char: "v",
    description:
      "a directory of this host that the program sees (needs virtiofsd); can be given more than once",
    helpGroup,
    helpValue: "DIR:PATH[:ro]",
    multiple: true,
    multipleNonGreedy: true,
  }),
  entrypoint: string({
    description: "program to run in the place of the image's entrypoint, '' for none",
    helpGroup,
    helpValue: "PROGRAM",
  }),
  workdir: string({
    char: "w",
    description: "directory that the program begins in [default: the image's]",
    helpGroup,
    helpValue: "DIR",
  }),
  "image-kernel": string({
    description:
      "the kernel to boot, one of `silk image kernels` [default: the first there that can]",
    helpGroup,
    helpValue: "NAME",
  }),
  tty: boolean({ char: "t", description: "give the program a terminal", helpGroup }),
};

/** What is of use only where the program is run at once. */
export const foregroundFlags = {
  interactive: boolean({ char: "i", description: "let the program read stdin", helpGroup }),
  detach: boolean({
    char: "d",
    description: "print the VM's id and do not wait for the program",
    helpGroup,
  }),
  rm: boolean({ description: "remove the VM at the end, however it ended", helpGroup }),
};
