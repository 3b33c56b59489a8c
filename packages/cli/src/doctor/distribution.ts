import type { HostFiles } from "@silkvm/core";

type Manager = "apt" | "dnf" | "pacman" | "zypper" | "apk";

/** The Linux distribution, as far as it decides how a package is installed. */
export interface Distribution {
  /** `ID` of os-release: `debian`. */
  readonly id: string;
  /** `VERSION_ID` of os-release; rolling distributions have none. */
  readonly version: string | undefined;
  readonly manager: Manager | undefined;
}

/** A package's name where it is the same everywhere, or each manager's own. */
export type PackageName =
  | string
  | (Readonly<Partial<Record<Manager, string>>> & { readonly other: string });

const managers: ReadonlyMap<string, Manager> = new Map([
  ["debian", "apt"],
  ["ubuntu", "apt"],
  ["fedora", "dnf"],
  ["rhel", "dnf"],
  ["centos", "dnf"],
  ["arch", "pacman"],
  ["suse", "zypper"],
  ["opensuse", "zypper"],
  ["alpine", "apk"],
]);

const installCommands: Readonly<Record<Manager, string>> = {
  apt: "apt-get install",
  dnf: "dnf install",
  pacman: "pacman -S",
  zypper: "zypper install",
  apk: "apk add",
};

/** Finds out the distribution; one that does not say what it is has no manager. */
export async function findDistribution(files: HostFiles): Promise<Distribution> {
  for (const path of ["/etc/os-release", "/usr/lib/os-release"]) {
    const text = await files.readText(path).catch(() => undefined);
    if (text !== undefined) return parseOsRelease(text);
  }
  return { id: "linux", version: undefined, manager: undefined };
}

/** https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
export function parseOsRelease(text: string): Distribution {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, key, value] = /^([A-Z_]+)=(.*)$/.exec(line.trim()) ?? [];
    if (key !== undefined && value !== undefined)
      values.set(key, value.replace(/^(["'])(.*)\1$/, "$2"));
  }
  const id = values.get("ID") ?? "linux";
  const family = [id, ...(values.get("ID_LIKE") ?? "").split(" ")];
  const manager = family
    .map((name) => managers.get(name) ?? managers.get(name.split("-")[0] as string))
    .find((found) => found !== undefined);
  return { id, version: values.get("VERSION_ID"), manager };
}

/** The command that installs a package; undefined where it is not known how. */
export function installCommand(
  { manager }: Distribution,
  name: PackageName,
  uid: number,
): string | undefined {
  if (manager === undefined) return undefined;
  return asRoot(`${installCommands[manager]} ${packageName(manager, name)}`, uid);
}

export function packageName(manager: Manager | undefined, name: PackageName): string {
  if (typeof name === "string") return name;
  return (manager === undefined ? undefined : name[manager]) ?? name.other;
}

/** A command that only root may run, as this user has to type it. */
export function asRoot(command: string, uid: number): string {
  return uid === 0 ? command : `sudo ${command}`;
}
