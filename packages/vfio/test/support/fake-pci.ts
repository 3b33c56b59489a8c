import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { FileOpener, Host, ToolRequest, ToolResult } from "@silkvm/core";

/** A device of the pretended host. */
export interface FakeDevice {
  readonly address: string;
  readonly group?: number;
  readonly driver?: string;
  /** The driver that takes it by itself. Default: the one that it has. */
  readonly native?: string;
  readonly class?: string;
  readonly vendor?: string;
  readonly device?: string;
  readonly override?: string;
  /** More files of it, such as `reset_method`. */
  readonly files?: Readonly<Record<string, string>>;
}

/** The parts of a pretended machine that tests change. */
export interface FakePci {
  readonly host: Host;
  readonly dir: string;
  /** Who has files open. */
  readonly openers: FileOpener[];
  /** What `modprobe` answers. Default: that all is well. */
  modprobe: (args: readonly string[]) => Partial<ToolResult>;
  /** Paths that this user may not write. */
  readonly denied: Set<string>;
  /** Driver names that fail to take a device. */
  readonly failing: Set<string>;
  addDevice(device: FakeDevice): Promise<void>;
  driver(address: string): string | undefined;
  override(address: string): Promise<string>;
  write(path: string, content: string): Promise<void>;
  link(path: string, target: string): Promise<void>;
  remove(path: string): Promise<void>;
}

const roots = ["/sys", "/proc", "/dev", "/usr/share", "/usr/local/share", "/var/lib/pciutils"];

/**
 * A host whose /sys, /proc and /dev are below a directory, with what the kernel does when its files for binding drivers are written to. All else is
 * the real host's.
 */
export function fakePci(real: Host, dir: string): FakePci {
  const at = (path: string): string =>
    roots.some((root) => path === root || path.startsWith(`${root}/`)) ? join(dir, path) : path;
  const natives = new Map<string, string>();
  const devicePath = (address: string): string => `/sys/devices/pci0000:00/${address}`;
  const write = async (path: string, content: string): Promise<void> => {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), content);
  };
  const link = async (path: string, target: string): Promise<void> => {
    await mkdir(dirname(at(path)), { recursive: true });
    await symlink(at(target), at(path));
  };
  const remove = (path: string): Promise<void> => rm(at(path), { recursive: true, force: true });
  const driver = (address: string): string | undefined => {
    const path = join(at(devicePath(address)), "driver");
    return existsSync(path) ? basename(readlinkSync(path)) : undefined;
  };
  const override = async (address: string): Promise<string> =>
    (await readFile(at(`${devicePath(address)}/driver_override`), "utf8")).trim();

  /** A group's file is there while one of its devices is bound to vfio-pci. */
  const showGroup = async (address: string): Promise<void> => {
    const group = join(at(devicePath(address)), "iommu_group");
    if (!existsSync(group)) return;
    const number = basename(readlinkSync(group));
    const members = readdirSync(at(`/sys/kernel/iommu_groups/${number}/devices`));
    if (members.some((member) => driver(member) === "vfio-pci"))
      await write(`/dev/vfio/${number}`, "");
    else await remove(`/dev/vfio/${number}`);
  };
  const bind = async (address: string, name: string): Promise<void> => {
    if (fake.failing.has(name)) throw errno("EIO");
    await link(`${devicePath(address)}/driver`, `/sys/bus/pci/drivers/${name}`);
    await showGroup(address);
  };
  const command = async (path: string, content: string): Promise<void> => {
    const text = content.replace(/\n$/, "");
    const name = basename(dirname(path));
    if (!existsSync(at(path))) throw errno("ENOENT");
    if (path.endsWith("/driver_override"))
      return await write(path, `${text === "" ? "(null)" : text}\n`);
    if (!existsSync(at(devicePath(text)))) throw errno("ENODEV");
    const wanted = await override(text);
    const fits = wanted === "(null)" ? natives.get(text) : wanted;
    if (path.endsWith("/unbind")) {
      if (driver(text) !== name) throw errno("ENODEV");
      await remove(`${devicePath(text)}/driver`);
      await showGroup(text);
    } else if (path.endsWith("/bind")) {
      if (fits !== name) throw errno("ENODEV");
      if (driver(text) !== undefined) throw errno("EBUSY");
      await bind(text, name);
    } else if (driver(text) === undefined && fits !== undefined) {
      if (existsSync(at(`/sys/bus/pci/drivers/${fits}`))) await bind(text, fits);
    }
  };

  const { files, processes, locks } = real;
  const fake: FakePci = {
    dir,
    openers: [],
    denied: new Set(),
    failing: new Set(),
    modprobe: () => ({}),
    driver,
    override,
    write,
    link,
    remove,
    addDevice: async (device) => {
      const { address, group, class: classId = "0x010802" } = device;
      const path = devicePath(address);
      await write(`${path}/vendor`, `${device.vendor ?? "0x1b36"}\n`);
      await write(`${path}/device`, `${device.device ?? "0x0010"}\n`);
      await write(`${path}/class`, `${classId}\n`);
      await write(`${path}/numa_node`, "-1\n");
      await write(`${path}/driver_override`, `${device.override ?? "(null)"}\n`);
      await write(`${path}/reset_method`, "flr\n");
      await link(`/sys/bus/pci/devices/${address}`, path);
      for (const [name, content] of Object.entries(device.files ?? {}))
        await write(`${path}/${name}`, content);
      if (group !== undefined) {
        await mkdir(at(`/sys/kernel/iommu_groups/${group}/devices`), { recursive: true });
        await link(`${path}/iommu_group`, `/sys/kernel/iommu_groups/${group}`);
        await link(`/sys/kernel/iommu_groups/${group}/devices/${address}`, path);
      }
      const native = device.native ?? device.driver;
      for (const name of [native, device.driver].filter((one) => one !== undefined))
        await addDriver(name);
      if (native !== undefined) natives.set(address, native);
      if (device.driver !== undefined) await bind(address, device.driver);
    },
    host: {
      ...real,
      files: {
        ...files,
        stat: (path) => files.stat(at(path)),
        realpath: async (path) => (await files.realpath(at(path))).replace(dir, ""),
        canAccess: async (path, how) =>
          !fake.denied.has(path) && (await files.canAccess(at(path), how)),
        list: (path) => files.list(at(path)),
        readText: (path) => files.readText(at(path)),
        writeInPlace: command,
      },
      processes: {
        ...processes,
        openers: async (paths) =>
          fake.openers.filter(
            ({ path, process: { identity } }) =>
              paths.includes(path) && (identity.bootId === "" || processes.isAlive(identity)),
          ),
        run: async (request: ToolRequest) => {
          if (request.command !== "modprobe") return await processes.run(request);
          const answer = { exitCode: 0, stdout: "", stderr: "", ...fake.modprobe(request.args) };
          if (answer.exitCode === 0 && !request.args.includes("-n")) await addDriver("vfio-pci");
          return answer;
        },
      },
      locks: {
        isHeld: (path, offset) => locks.isHeld(at(path), offset),
        acquire: (path, offset, options) => locks.acquire(at(path), offset, options),
      },
    },
  };
  const addDriver = async (name: string): Promise<void> => {
    for (const file of ["bind", "unbind"]) await write(`/sys/bus/pci/drivers/${name}/${file}`, "");
    await write("/sys/bus/pci/drivers_probe", "");
    if (name === "vfio-pci") {
      await write("/sys/module/vfio_iommu_type1/refcnt", "0");
      await write("/dev/vfio/vfio", "");
    }
  };
  return fake;
}

function errno(code: string): Error {
  return Object.assign(new Error(`${code}: the kernel refuses`), { code });
}
