import { type Host, SilkError } from "@silkvm/core";

/** Where virtiofsd is, besides PATH: it is a helper, and distributions put it where helpers are. */
export const virtiofsdPlaces: readonly string[] = [
  "/usr/libexec/virtiofsd",
  "/usr/lib/virtiofsd",
  "/usr/lib/qemu/virtiofsd",
];

/** The name that is looked for there, too. */
export const virtiofsdName = "virtiofsd";

/** A virtiofsd of this host. */
export interface VirtiofsdProgram {
  readonly path: string;
  /** `rust`: the virtiofsd of today. `qemu`: its predecessor in C, which came with QEMU up to 7.2. */
  readonly flavor: "rust" | "qemu";
  /** Such as `1.13.2`; that of QEMU for QEMU's. */
  readonly version: string;
}

/**
 * The virtiofsd that silk runs: the one that the setting names or, where it names none, the first of PATH and of where distributions put it.
 * @throws SilkError `VIRTIOFSD_NOT_FOUND`, `VIRTIOFSD_UNKNOWN`, `VIRTIOFSD_UNSUPPORTED`
 */
export async function findVirtiofsd(host: Host, setting: string): Promise<VirtiofsdProgram> {
  const candidates = setting === virtiofsdName ? [setting, ...virtiofsdPlaces] : [setting];
  for (const candidate of candidates) {
    const path = await host.processes.which(candidate);
    if (path !== undefined) return await identify(host, path);
  }
  throw new SilkError(
    setting === virtiofsdName
      ? `there is no virtiofsd: neither on PATH nor at ${virtiofsdPlaces.join(", ")}`
      : `there is no program ${setting}, which the setting virtiofsd names`,
    {
      code: "VIRTIOFSD_NOT_FOUND",
      kind: "unavailable",
      hint: "Install it (`silk doctor` names the package), or name it: silk config set virtiofsd PATH",
      details: { setting },
    },
  );
}

async function identify(host: Host, path: string): Promise<VirtiofsdProgram> {
  const { stdout, stderr } = await host.processes.run({
    command: path,
    args: ["--version"],
    timeoutMs: 10_000,
  });
  const said = `${stdout}\n${stderr}`;
  // `virtiofsd version 7.2.22 (Debian …)` is QEMU's; `virtiofsd 1.13.2`, and before 1.5 `virtiofsd backend 1.4.0`, is the other one.
  const { qemu, version } =
    /^virtiofsd (?<qemu>version )?(?:backend )?v?(?<version>\d+\.\d+\S*)/m.exec(said)?.groups ?? {};
  const flavor = qemu === undefined ? "rust" : "qemu";
  const isTooOld = version !== undefined && Number.parseInt(version, 10) < oldest[flavor];
  if (version !== undefined && !isTooOld) return { path, flavor, version };
  if (/setgroups\(\) failed/.test(said))
    throw new SilkError(`${path} is QEMU's old virtiofsd, which runs as root only`, {
      code: "VIRTIOFSD_UNSUPPORTED",
      kind: "unsupported",
      hint: "Install the virtiofsd of today (and name it where it is not on PATH: silk config set virtiofsd PATH), or run silk as root.",
      details: { path },
    });
  const first = said.trim().split("\n", 1)[0] ?? "";
  throw new SilkError(
    isTooOld
      ? `${path} is virtiofsd ${version}, which is too old`
      : `${path} does not tell its version as virtiofsd does${first === "" ? "" : `: ${first}`}`,
    {
      code: "VIRTIOFSD_UNKNOWN",
      kind: "unsupported",
      hint: "Install virtiofsd 1.0 or newer, and name it where it is not on PATH: silk config set virtiofsd PATH",
      details: { path, ...(version === undefined ? {} : { version }) },
    },
  );
}

/** Major versions. */
const oldest = { rust: 1, qemu: 5 } as const;
