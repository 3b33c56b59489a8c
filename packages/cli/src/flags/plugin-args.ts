import { string } from "@oclif/core/args";

const description = "a plugin that is there, by the name of its package";

/** One plugin or more. */
export const somePlugins = {
  plugin: string({ description, required: true, multiple: true, ignoreStdin: true }),
};

/** Any number of plugins. */
export const anyPlugins = {
  plugin: string({
    description: `${description} [default: all]`,
    multiple: true,
    ignoreStdin: true,
  }),
};
