import { isAbsolute } from "node:path";
import { SilkError } from "@silkvm/core";

/** Where CNI's files are. Each is a list of absolute paths, of which the first that has a file wins. */
export interface CniOptions {
  /** Directories of network configurations. Default: the environment's NETCONFPATH, else `/etc/cni/net.d`. */
  readonly configDirs?: readonly string[] | undefined;
  /** Directories of plugins. Default: the environment's CNI_PATH, else `/opt/cni/bin`, `/usr/lib/cni` and `/usr/libexec/cni`. */
  readonly pluginDirs?: readonly string[] | undefined;
}

export interface CniDirectories {
  readonly configDirs: readonly string[];
  readonly pluginDirs: readonly string[];
}

const defaults: CniDirectories = {
  configDirs: ["/etc/cni/net.d"],
  pluginDirs: ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"],
};

/** The directories by options, environment and custom, in this order. @throws SilkError `INVALID_CONFIG` */
export function cniDirectories(
  { configDirs, pluginDirs }: CniOptions,
  environment: Readonly<Record<string, string | undefined>>,
): CniDirectories {
  return {
    configDirs: checked(
      configDirs ?? listed(environment["NETCONFPATH"]) ?? defaults.configDirs,
      "NETCONFPATH",
    ),
    pluginDirs: checked(
      pluginDirs ?? listed(environment["CNI_PATH"]) ?? defaults.pluginDirs,
      "CNI_PATH",
    ),
  };
}

function listed(value: string | undefined): readonly string[] | undefined {
  const paths = value?.split(":").filter((path) => path !== "");
  return paths === undefined || paths.length === 0 ? undefined : paths;
}

function checked(paths: readonly string[], name: string): readonly string[] {
  const relative = paths.find((path) => !isAbsolute(path));
  if (relative === undefined) return paths;
  throw new SilkError(`the directory ${JSON.stringify(relative)} in ${name} is not absolute`, {
    code: "INVALID_CONFIG",
    kind: "invalid",
    hint: "Give absolute paths, with a colon between them.",
  });
}
