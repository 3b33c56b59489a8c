import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host, NetworkContext, OperationContext, VmConfig, VmRecord } from "@silkvm/core";
import { silentLogger } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";

/** The full path of a system program, also while a test has put another one before it on PATH. */
export function realPath(program: string): string {
  const paths = ["/usr/sbin", "/sbin", "/usr/bin"].map((directory) => join(directory, program));
  return paths.find((path) => existsSync(path)) ?? program;
}

const ip = realPath("ip");

/** Runs a program, and fails the test where it fails. */
export function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0)
    throw error ?? new Error(`${command} ${args.join(" ")}: exit code ${status}: ${stderr}`);
  return stdout;
}

/** Why the network of this machine cannot be changed by tests; undefined where it can. */
export const networkMissing: string | undefined = whatIsMissing();
/** Where Debian and others put CNI's own plugins; undefined where they are not. */
export const cniPlugins: string | undefined = ["/usr/lib/cni", "/opt/cni/bin"].find((path) =>
  ["bridge", "host-local", "portmap"].every((name) => existsSync(join(path, name))),
);
if (networkMissing !== undefined) console.warn(`skipped: ${networkMissing}`);
else if (cniPlugins === undefined)
  console.warn("skipped in part: CNI's plugins are not installed (containernetworking-plugins)");

function whatIsMissing(): string | undefined {
  if (process.getuid?.() !== 0) return "this is not root";
  if (!existsSync("/dev/net/tun")) return "there is no /dev/net/tun";
  const name = `silk-probe-${process.pid}`;
  const { status, stderr } = spawnSync(ip, ["netns", "add", name], { encoding: "utf8" });
  if (status !== 0) return `no network namespace can be made: ${stderr}`;
  const probe = spawnSync(ip, ["-n", name, "tuntap", "add", "dev", "probe", "mode", "tap"], {
    encoding: "utf8",
  });
  spawnSync(ip, ["netns", "del", name]);
  return probe.status === 0 ? undefined : `no TAP can be made: ${probe.stderr}`;
}

let count = 0;

/**
 * A machine of the test's own: a network namespace in which every program is run that the host port runs, and a directory. What is in
 * it goes with it.
 */
export class Sandbox implements Disposable {
  readonly namespace: string;
  readonly directory: string;
  readonly scope: string;
  readonly host: Host;
  readonly warnings: string[] = [];

  constructor() {
    count += 1;
    this.scope = `t${process.pid.toString(16)}x${count}`;
    this.namespace = `silktest-${this.scope}`;
    this.directory = mkdtempSync(join(tmpdir(), "silk-network-"));
    run(ip, "netns", "add", this.namespace);
    this.host = runningBy(linuxHost(), "nsenter", `--net=/var/run/netns/${this.namespace}`);
  }

  /** The machine, for a user who may do nothing. */
  get hostOfNobody(): Host {
    return runningBy(
      this.host,
      "setpriv",
      "--reuid=65534",
      "--clear-groups",
      "--bounding-set=-all",
    );
  }

  get context(): NetworkContext {
    return this.contextOf(this.host);
  }

  contextOf(host: Host): NetworkContext {
    return {
      host,
      logger: silentLogger,
      scope: this.scope,
      stateDir: join(this.directory, "state"),
    };
  }

  /** What a verb is called with; its warnings are kept. */
  get operation(): OperationContext {
    return { progress: () => {}, warn: (message) => void this.warnings.push(message) };
  }

  ip(...args: readonly string[]): string {
    return run(ip, "-n", this.namespace, ...args);
  }

  /** Runs a program in the machine's network. */
  run(command: string, ...args: readonly string[]): string {
    return run("nsenter", `--net=/var/run/netns/${this.namespace}`, command, ...args);
  }

  /** The namespaces of the machine's VMs. */
  namespaces(): readonly string[] {
    return run(ip, "netns", "list")
      .split("\n")
      .map((line) => line.split(" ")[0] ?? "")
      .filter((name) => name.startsWith(`silk-${this.scope}-`));
  }

  /** All of the machine that a network can leave something in, but for counters and clocks. */
  state(): unknown {
    const links = JSON.parse(this.ip("-j", "-d", "link")) as Record<string, unknown>[];
    return {
      links: links.map(({ ifname, ifalias, master, mtu }) => ({ ifname, ifalias, master, mtu })),
      namespaces: this.namespaces(),
      qdiscs: (JSON.parse(this.run(realPath("tc"), "-j", "qdisc")) as { dev: string }[]).map(
        ({ dev }) => dev,
      ),
      rules: this.rules(),
      files: run("find", this.directory, "-path", "*/state/*", "-type", "f"),
      leases: run("find", this.directory, "-path", "*/leases/*", "-name", "*.*.*.*"),
    };
  }

  /** Rules of the firewall, where there is a program to tell them. */
  rules(): string {
    const args = [`--net=/var/run/netns/${this.namespace}`, "iptables-save"];
    const { stdout } = spawnSync("nsenter", args, { encoding: "utf8" });
    return stdout.replaceAll(/^#.*$|\[\d+:\d+\]/gm, "");
  }

  [Symbol.dispose](): void {
    for (const name of [...this.namespaces(), this.namespace])
      spawnSync(ip, ["netns", "del", name]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A host whose programs run by way of another one; files and mounts are the machine's. */
function runningBy(host: Host, command: string, ...args: readonly string[]): Host {
  const { processes } = host;
  const runBy: typeof processes.run = (request) =>
    processes.run({ ...request, command, args: [...args, request.command, ...request.args] });
  return {
    ...host,
    processes: Object.assign(Object.create(processes) as typeof processes, { run: runBy }),
  };
}

/** The record of a VM that a network is asked to connect. */
export function vmRecord(
  id: string,
  config: Partial<VmConfig> = {},
  rest: Partial<VmRecord> = {},
): VmRecord {
  return {
    seq: 1,
    id,
    name: id,
    backend: "none",
    state: "creating",
    config: {
      cpus: 1,
      memoryBytes: 2 ** 28,
      storageBytes: 0,
      netQueueSize: 0,
      diskQueueSize: 0,
      noDirectIo: false,
      windows: false,
      sharedMemory: false,
      hugepages: false,
      ...config,
    },
    boot: { kind: "direct", kernelPath: "/boot/vmlinux", cmdline: "" },
    disks: [],
    nics: [],
    labels: {},
    imageBlobIds: [],
    snapshotIds: [],
    firstBooted: false,
    createdAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-01T00:00:00.000Z",
    ...rest,
  };
}
