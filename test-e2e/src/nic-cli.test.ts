import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import cloudHypervisorPlugin from "@silkvm/cloud-hypervisor";
import { createEngine, type NicView, type VmView } from "@silkvm/core";
import type { NetResizeResult } from "@silkvm/netresize";
import networkPlugin from "@silkvm/network";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bridgeName,
  cniName,
  cniPlugins,
  makeNetSandbox,
  netMissing,
  type NetSandbox,
} from "./net-sandbox.ts";
import { type Silk, silkIn } from "./silk.ts";
import { mainTargets, type Target, targets } from "./targets.ts";

/** A user who may do nothing to the network. */
const nobody = ["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all"];

const missing = (target: Target): boolean =>
  netMissing !== undefined || target.missing !== undefined;

describe.each(mainTargets)("the command line of networks, on $name", (target) => {
  describe.skipIf(missing(target))("", () => {
    lifeTests(inSandbox(target));
  });
});

// What is refused before a VMM is met is the same on all of them.
describe.each(targets.slice(0, 1))("the command line of networks", (target) => {
  describe.skipIf(missing(target))("", () => {
    otherTests(inSandbox(target));
  });
});

/** What the tests of one `describe` share. */
interface Scene {
  readonly sandbox: NetSandbox;
  readonly silk: Silk;
  /** What makes a small VM. */
  readonly small: readonly string[];
  /** What there was of the network before the first of them. */
  readonly before: unknown;
}

function inSandbox(target: Target): () => Scene {
  let sandbox: NetSandbox;
  let silk: Silk;
  let small: string[];
  let before: unknown;

  beforeAll(async () => {
    sandbox = await makeNetSandbox(target.chBinary());
    silk = silkIn(sandbox);
    const { boot } = await target.spec();
    const kernel = boot.kernel;
    small = ["--kernel", kernel, "--cpus", "1", "--memory", "64M", "--storage", "0"];
    before = sandbox.left();
  });
  afterAll(async () => {
    const left = sandbox.left();
    await sandbox[Symbol.asyncDispose]();
    expect(left).toEqual(before);
  });
  return () => ({ sandbox, silk, small, before });
}

function lifeTests(scene: () => Scene): void {
  it("takes a VM with NICs on a bridge from run to rm", async () => {
    const { sandbox, silk, small, before } = scene();
    const mac = "02:00:00:00:0a:01";
    const args = ["--name", "web", "--bridge", bridgeName, "--mac", mac.toUpperCase()];
    const id = (await silk.ok("vm", "run", ...small, ...args)).trim();
    expect(await silk.ok("vm", "inspect", "web")).toMatch(
      new RegExp(`TAP +MAC +NETWORK +ADDRESS\\n +sk[0-9a-f]{10}-0 +${mac} +bridge br0 +DHCP\\n`),
    );
    const told = await silk.ok("vm", "net", "set", "web", "--nics", "3");
    expect(told).toMatch(/^\+ sk.*bridge br0.*\n\+ sk.*\n3 NICs \(1 before\)\n$/);
    const result = await silk.json<NetResizeResult>("vm", "net", "set", id, "--nics", "2");
    expect(result).toMatchObject({ before: 3, after: 2, added: [], removed: [{}], warnings: [] });
    const nics = await silk.json<NicView[]>("vm", "net", "ls", "web");
    expect(nics.map(({ state }) => state)).toEqual(["attached", "attached"]);
    expect(await silk.ok("vm", "net", "list", "web")).toContain(`${nics[1]?.mac}  bridge br0`);
    await silk.ok("vm", "stop", "web", "--force");
    expect(await silk.ok("vm", "net", "list", "web")).toContain("detached");
    await silk.ok("vm", "rm", "web");
    expect(sandbox.left()).toEqual(before);
  });

  it.skipIf(cniPlugins === undefined)("takes a VM in a CNI network from run to rm", async () => {
    const { sandbox, silk, small, before } = scene();
    await silk.ok("vm", "run", ...small, "--name", "pod", "--network", cniName, "--nics", "2");
    const { nics } = await silk.json<VmView>("vm", "inspect", "pod");
    expect(nics.map(({ address }) => address?.gateway)).toEqual(["10.77.0.1", "10.77.0.1"]);
    expect(await silk.ok("vm", "net", "list", "pod")).toContain(`${nics[0]?.address?.ip}/24`);
    expect(sandbox.taps()).toHaveLength(2);
    await silk.ok("vm", "net", "set", "pod", "--nics", "0");
    await silk.ok("vm", "net", "set", "pod", "--nics", "1");
    await silk.ok("vm", "stop", "pod", "--force");
    await silk.ok("vm", "start", "pod");
    await silk.ok("vm", "rm", "pod", "--force");
    expect(sandbox.left()).toEqual(before);
  });
}

function otherTests(scene: () => Scene): void {
  it("lists and shows networks, for people and for programs", async () => {
    const { silk } = scene();
    expect(await silk.ok("network", "list")).toMatch(
      /^NAME +PROVIDER +FLAG +DESCRIPTION\nbr0 +bridge +--bridge br0 +/,
    );
    const networks = await silk.json<{ name: string; provider: string }[]>("network", "ls");
    expect(networks).toContainEqual(expect.objectContaining({ name: "br0", provider: "bridge" }));
    expect((await silk.ok("network", "list", "--quiet")).split("\n")).toContain("br0");
    expect(await silk.ok("network", "inspect", "br0")).toContain("MTU          1500\n");
    expect(await silk.json("network", "inspect", "br0")).toMatchObject({
      name: "br0",
      details: { mtu: 1500, up: true, ports: [] },
    });
    expect(await silk.error(["network", "inspect", "br7"])).toMatchObject({
      code: "NETWORK_NOT_FOUND",
      exitCode: 3,
      hint: expect.stringContaining("br0"),
    });
  });

  it("shows the command line of a VM with NICs, and makes nothing", async () => {
    const { sandbox, silk, small, before } = scene();
    const args = ["--bridge", bridgeName, "--nics", "2", "--queue-size", "1024"];
    const words = await silk.json<string[]>("vm", "debug", ...small, ...args);
    const nets = words.slice(words.indexOf("--net") + 1, words.indexOf("--rng"));
    expect(nets).toHaveLength(2);
    expect(nets[0]).toMatch(
      /^tap=sk\w+-0,mac=[0-9a-f:]{17},num_queues=2,queue_size=1024,offload_tso=on,offload_ufo=on,offload_csum=on$/,
    );
    expect(words[words.indexOf("--cmdline") + 1]).toBe("console=hvc0");
    expect(sandbox.left()).toEqual(before);
  });

  it.each([
    ["no network at all", ["--nics", "1"], "NETWORK_UNNAMED", 2],
    ["two networks", ["--bridge", bridgeName, "--network", "x"], "INVALID_SPEC", 2],
    ["a bridge that is not there", ["--bridge", "br7"], "BRIDGE_NOT_FOUND", 3],
    ["a bridge that is none", ["--bridge", "lo"], "NOT_A_BRIDGE", 2],
    ["a bridge that no device can be called", ["--bridge", "a b; rm"], "INVALID_SPEC", 2],
    ["an empty name", ["--bridge", ""], "INVALID_SPEC", 2],
    ["a network that is not there", ["--network", "nope"], "NETWORK_NOT_FOUND", 3],
    ["17 NICs", ["--bridge", bridgeName, "--nics", "17"], "INVALID_SPEC", 2],
    ["-1 NICs", ["--bridge", bridgeName, "--nics=-1"], "USAGE", 2],
    ["no MAC", ["--bridge", bridgeName, "--mac", "52:54:00"], "INVALID_SPEC", 2],
    ["a multicast MAC", ["--bridge", bridgeName, "--mac", "01:00:5e:00:00:01"], "INVALID_SPEC", 2],
    ["a MAC of zeros", ["--bridge", bridgeName, "--mac", "00:00:00:00:00:00"], "INVALID_SPEC", 2],
    [
      "one MAC twice",
      ["--bridge", bridgeName, "--mac", "02:00:00:00:00:01", "--mac", "02:00:00:00:00:01"],
      "INVALID_SPEC",
      2,
    ],
    [
      "more MACs than NICs",
      ["--bridge", bridgeName, "--nics", "1", "--mac", "02:00:00:00:00:01,02:00:00:00:00:02"],
      "INVALID_SPEC",
      2,
    ],
    ["a DNS server by name", ["--bridge", bridgeName, "--dns", "dns.example"], "INVALID_SPEC", 2],
    ["a queue of 3", ["--bridge", bridgeName, "--queue-size", "3"], "INVALID_SPEC", 2],
  ])("refuses %s, and makes nothing", async (_what, args, code, exitCode) => {
    const { sandbox, silk, small, before } = scene();
    const error = await silk.error(["vm", "create", ...small, ...args]);
    expect(error).toMatchObject({ code, exitCode });
    expect(error.message).not.toContain("undefined");
    expect(await silk.json("vm", "list", "--all")).toEqual([]);
    expect(sandbox.left()).toEqual(before);
  });

  it("refuses a MAC that a VM on the same bridge has, and takes it on another one", async () => {
    const { sandbox, silk, small } = scene();
    const mac = ["--mac", "02:00:00:00:0b:01"];
    await silk.ok("vm", "create", ...small, "--name", "first", "--bridge", bridgeName, ...mac);
    const again = ["vm", "create", ...small, "--bridge", bridgeName, ...mac];
    expect(await silk.error(again)).toMatchObject({
      code: "MAC_TAKEN",
      exitCode: 4,
      message: expect.stringContaining("first"),
    });
    sandbox.ip("link", "add", "br1", "type", "bridge");
    await silk.ok("vm", "create", ...small, "--name", "second", "--bridge", "br1", ...mac);
    await silk.ok("vm", "rm", "first", "second");
    sandbox.ip("link", "del", "br1");
  });

  it("refuses what `vm net set` cannot do, and says what can be done", async () => {
    const { silk, small } = scene();
    await silk.ok("vm", "create", ...small, "--name", "plain");
    const set = (...args: string[]) => silk.error(["vm", "net", "set", ...args]);
    expect(await set("plain")).toMatchObject({ code: "USAGE", exitCode: 2 });
    expect(await set("plain", "--nics", "many")).toMatchObject({ exitCode: 2 });
    expect(await set("plain", "--nics", "17")).toMatchObject({ code: "INVALID_SPEC", exitCode: 2 });
    expect(await set("nobody", "--nics", "1")).toMatchObject({ code: "VM_NOT_FOUND", exitCode: 3 });
    expect(await set("plain", "--nics", "1")).toMatchObject({
      code: "NETWORK_UNNAMED",
      exitCode: 2,
      hint: expect.stringContaining("--bridge"),
    });
    expect(await silk.json("vm", "net", "set", "plain", "--nics", "0")).toEqual({
      before: 0,
      after: 0,
      added: [],
      removed: [],
      warnings: [],
    });
    expect(await silk.json("vm", "net", "list", "plain")).toEqual([]);
    await silk.ok("vm", "rm", "plain");
  });

  it("tells a user who may not change the network so, and leaves nothing", async () => {
    const { sandbox, silk, small } = scene();
    const args = ["vm", "create", ...small, "--bridge", bridgeName];
    const directories = ["root", "run", "log"].map((name) => join(sandbox.dir, "nobody", name));
    const [rootDir = "", runDir = "", logDir = ""] = directories;
    await mkdir(join(sandbox.dir, "nobody"), { mode: 0o777 });
    await chmod(sandbox.dir, 0o755);
    await chmod(join(sandbox.dir, "nobody"), 0o777);
    const env = { SILK_ROOT_DIR: rootDir, SILK_RUN_DIR: runDir, SILK_LOG_DIR: logDir };
    const error = await silk.error(args, { under: nobody, env });
    expect(error).toMatchObject({ code: "PERMISSION_DENIED", exitCode: 1 });
    expect(error.hint).toContain("CAP_NET_ADMIN");
    const listed = await silk.run(["vm", "list", "--all", "--json"], { under: nobody, env });
    expect(JSON.parse(listed.stdout)).toEqual([]);
    expect(sandbox.taps()).toEqual([]);
  });

  it("names what is missing on a host without iproute2, and lists the networks that need none", async () => {
    const { sandbox, small } = scene();
    const host = linuxHost();
    const { processes } = host;
    const run: typeof processes.run = async ({ command }) => {
      throw Object.assign(new Error(`spawn ${command} ENOENT`), { code: "ENOENT" });
    };
    const without = {
      ...host,
      processes: Object.assign(Object.create(processes) as typeof processes, { run }),
    };
    await using engine = await createEngine({
      host: without,
      plugins: [networkPlugin, cloudHypervisorPlugin],
      config: sandbox.config,
    });
    const { failed } = await engine.networks();
    expect(failed).toMatchObject([{ provider: "bridge", error: { code: "IP_NOT_FOUND" } }]);
    const spec = { boot: { kernel: small[1] ?? "" }, bridge: bridgeName };
    await expect(engine.create(spec)).rejects.toMatchObject({
      code: "IP_NOT_FOUND",
      kind: "unavailable",
      hint: expect.stringContaining("iproute2"),
    });
    expect(await engine.list({ all: true })).toEqual([]);
  });

  it("completes the names of networks", async () => {
    const { silk } = scene();
    const complete = (...words: string[]) => silk.ok("__complete", "fish", "--", ...words);
    expect(await complete("vm", "create", "--bridge", "")).toContain("br0\tbridge");
    expect(await complete("network", "inspect", "b")).toContain("br0\tbridge");
    if (cniPlugins !== undefined)
      expect(await complete("vm", "create", "--network", "")).toMatch(/^pods\t/);
  });
}
