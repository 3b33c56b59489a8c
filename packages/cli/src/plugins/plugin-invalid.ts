import { SilkError, type SilkErrorOptions } from "@silkvm/core";

/** The hint where something was to be installed that is nothing that can be. */
export const installable =
  "Name a package of the registry (name or name@version), a tarball, a directory, or a git repository.";

/** The error for what is no plugin, or a broken one. */
export function pluginInvalid(
  message: string,
  told: Pick<SilkErrorOptions, "hint" | "details"> = {},
): SilkError {
  return new SilkError(message, { code: "PLUGIN_INVALID", kind: "invalid", ...told });
}
