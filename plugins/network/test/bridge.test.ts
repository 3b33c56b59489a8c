import { silentLogger } from "@silkvm/core";
import { withGate } from "@silkvm/core/testing";
import { linuxHost } from "@silkvm/sys";
import { describe, expect, test } from "vitest";
import { bridge } from "../src/index.ts";
import { broadcast, deliver, openPeer } from "./peer.ts";
import { answer, ping } from "./ping.ts";
import { networkMissing, Sandbox, vmRecord } from "./sandbox.ts";

/** A machine with a bridge. */
function withBridge(): Sandbox {
  const sandbox = new Sandbox();
  sandbox.ip("link", "add", "br0", "type", "bridge");
  sandbox.ip("link", "set", "br0", "up", "mtu", "1400");
  return sandbox;
}

const vm = vmRecord("web", { bridge: "br0" });

describe.skipIf(networkMissing !== undefined)("NICs on a bridge", () => {
  test("are TAPs of the bridge's MTU, up, with an alias that says whose they are, and nothing is left of them", async () => {
    using sandbox = withBridge();
    const before = sandbox.state();
    await using network = await bridge.open(sandbox.context);
    const nics = await network.plan(vm, 2, [], sandbox.operation);
    expect(nics).toMatchObject([
      { provider: "bridge", bridge: "br0", queues: 2, queueSize: 512 },
      { provider: "bridge", bridge: "br0", queues: 2, queueSize: 512 },
    ]);
    expect(sandbox.state()).toEqual(before);
    expect(await network.attach(vm, nics, sandbox.operation)).toEqual(nics);
    for (const [index, { tap }] of nics.entries()) {
      const [link] = JSON.parse(sandbox.ip("-j", "-d", "link", "show", tap)) as object[];
      expect(link).toMatchObject({
        mtu: 1400,
        master: "br0",
        ifalias: `silk:${sandbox.scope}:web:${index}`,
        linkinfo: { info_kind: "tun", info_data: { multi_queue: false, vnet_hdr: false } },
      });
      expect((link as { flags: string[] }).flags).toContain("UP");
    }
    await network.detach(vm, nics, sandbox.operation);
    await network.detach(vm, nics, sandbox.operation);
    expect(sandbox.state()).toEqual(before);
  });

  test("of a VM with several vCPUs have several queues, and headers", async () => {
    using sandbox = withBridge();
    await using network = await bridge.open(sandbox.context);
    const big = vmRecord("big", { bridge: "br0", cpus: 4, netQueueSize: 1024 });
    const nics = await network.plan(big, 1, [], sandbox.operation);
    expect(nics).toMatchObject([{ queues: 8, queueSize: 1024 }]);
    await network.attach(big, nics, sandbox.operation);
    const [link] = JSON.parse(
      sandbox.ip("-j", "-d", "link", "show", nics[0]?.tap ?? ""),
    ) as object[];
    expect(link).toMatchObject({ linkinfo: { info_data: { multi_queue: true, vnet_hdr: true } } });
  });

  test("are made by one look and one change, however many there are", async () => {
    using sandbox = withBridge();
    let programs = 0;
    const counted = withGate(sandbox.host, ({ name }) => {
      if (name.startsWith("processes.run")) programs += 1;
      return undefined;
    });
    await using network = await bridge.open(sandbox.contextOf(counted));
    const nics = await network.plan(vm, 8, [], sandbox.operation);
    programs = 0;
    await network.attach(vm, nics, sandbox.operation);
    expect(programs).toBe(2);
    programs = 0;
    await network.detach(vm, nics, sandbox.operation);
    expect(programs).toBe(2);
  });

  test("carry frames between two VMs", async () => {
    using sandbox = withBridge();
    await using network = await bridge.open(sandbox.context);
    const one = await network.plan(vm, 1, [], sandbox.operation);
    const other = vmRecord("db", { bridge: "br0" });
    const two = await network.plan(other, 1, [], sandbox.operation);
    await network.attach(vm, one, sandbox.operation);
    await network.attach(other, two, sandbox.operation);
    await using first = await openPeer(sandbox.namespace, one[0]?.tap ?? "");
    await using second = await openPeer(sandbox.namespace, two[0]?.tap ?? "");
    await deliver(first, second, broadcast(one[0]?.mac ?? "", "there"));
    await deliver(second, first, broadcast(two[0]?.mac ?? "", "and back"));
  });

  test("let two VMs ping each other, and the host", async () => {
    using sandbox = withBridge();
    sandbox.ip("addr", "add", "10.90.0.1/24", "dev", "br0");
    await using network = await bridge.open(sandbox.context);
    const other = vmRecord("db", { bridge: "br0" });
    const [one] = await network.plan(vm, 1, [], sandbox.operation);
    const [two] = await network.plan(other, 1, [], sandbox.operation);
    if (one === undefined || two === undefined) throw new Error("no NIC was planned");
    await network.attach(vm, [one], sandbox.operation);
    await network.attach(other, [two], sandbox.operation);
    await using first = await openPeer(sandbox.namespace, one.tap);
    await using second = await openPeer(sandbox.namespace, two.tap);
    const [web, db] = [
      { mac: one.mac, ip: "10.90.0.2" },
      { mac: two.mac, ip: "10.90.0.3" },
    ];
    void answer(second, db);
    await ping(first, web, db.ip);
    void answer(first, web);
    await ping(second, db, web.ip);
    await ping(second, db, "10.90.0.1");
  });

  test("are numbered around those that are taken", async () => {
    using sandbox = withBridge();
    await using network = await bridge.open(sandbox.context);
    const [a, b, c] = await network.plan(vm, 3, [], sandbox.operation);
    if (a === undefined || b === undefined || c === undefined) throw new Error("no NICs");
    const more = await network.plan(vm, 2, [a, c], sandbox.operation);
    expect(more.map(({ tap }) => tap)).toEqual([b.tap, c.tap.replace(/2$/, "3")]);
    expect(new Set([a, b, c, ...more].map(({ mac }) => mac)).size).toBe(5);
  });

  test("are made whole where a part of them is gone, down, elsewhere, or of another kind", async () => {
    using sandbox = withBridge();
    await using network = await bridge.open(sandbox.context);
    const nics = await network.plan(vm, 5, [], sandbox.operation);
    await network.attach(vm, nics, sandbox.operation);
    const whole = sandbox.state();
    const [gone, down, loose, unmarked, other] = nics.map(({ tap }) => tap) as [
      string,
      string,
      string,
      string,
      string,
    ];
    sandbox.ip("link", "del", gone);
    sandbox.ip("link", "set", down, "down");
    sandbox.ip("link", "set", loose, "nomaster", "mtu", "1300");
    sandbox.ip("link", "set", unmarked, "nomaster", "alias", "");
    sandbox.ip("link", "del", other);
    sandbox.ip("tuntap", "add", "dev", other, "mode", "tap", "multi_queue", "vnet_hdr");
    await network.attach(vm, nics, sandbox.operation);
    const links = (state: unknown): unknown[] =>
      (state as { links: { ifname: string }[] }).links.toSorted((a, b) =>
        a.ifname.localeCompare(b.ifname),
      );
    expect(links(sandbox.state())).toEqual(links(whole));
    const [healed] = JSON.parse(sandbox.ip("-j", "-d", "link", "show", other)) as object[];
    expect(healed).toMatchObject({ linkinfo: { info_data: { multi_queue: false } } });
    expect(sandbox.ip("link", "show", down)).toContain(",UP");
  });

  test("that have the name of somebody else's device are refused, and that device is never touched", async () => {
    using sandbox = withBridge();
    await using network = await bridge.open(sandbox.context);
    const nics = await network.plan(vm, 2, [], sandbox.operation);
    const tap = nics[1]?.tap ?? "";
    for (const make of [
      ["link", "add", tap, "type", "bridge"],
      ["link", "add", tap, "alias", `silk:${sandbox.scope}:web:1`, "type", "bridge"],
    ]) {
      sandbox.ip(...make);
      const before = sandbox.state();
      await expect(network.attach(vm, nics, sandbox.operation)).rejects.toMatchObject({
        code: "TAP_TAKEN",
        kind: "conflict",
        details: { tap },
      });
      await network.detach(vm, nics, sandbox.operation);
      expect(sandbox.state()).toEqual(before);
      sandbox.ip("link", "del", tap);
    }
    sandbox.ip("tuntap", "add", "dev", tap, "mode", "tap");
    sandbox.ip("link", "set", tap, "alias", "silk:another:web:1");
    const before = sandbox.state();
    await expect(network.attach(vm, nics, sandbox.operation)).rejects.toMatchObject({
      code: "TAP_TAKEN",
      details: { alias: "silk:another:web:1" },
    });
    await network.detach(vm, nics, sandbox.operation);
    expect(sandbox.state()).toEqual(before);
  });

  test("are left alone while a VMM has them open, where a change would need to make them anew", async () => {
    using sandbox = withBridge();
    await using network = await bridge.open(sandbox.context);
    const nics = await network.plan(vm, 1, [], sandbox.operation);
    await network.attach(vm, nics, sandbox.operation);
    await using _vmm = await openPeer(sandbox.namespace, nics[0]?.tap ?? "");
    const before = sandbox.state();
    const grown = nics.map((nic) => ({ ...nic, queues: 4 }));
    await expect(network.attach(vm, grown, sandbox.operation)).rejects.toMatchObject({
      code: "TAP_BUSY",
    });
    expect(sandbox.state()).toEqual(before);
  });

  test("of another VM or installation are never taken for ours", async () => {
    using sandbox = withBridge();
    await using network = await bridge.open(sandbox.context);
    const nics = await network.plan(vm, 1, [], sandbox.operation);
    await network.attach(vm, nics, sandbox.operation);
    const before = sandbox.state();
    const other = vmRecord("other", { bridge: "br0" });
    await expect(network.attach(other, nics, sandbox.operation)).rejects.toMatchObject({
      code: "NIC_FOREIGN",
    });
    await network.detach(other, nics, sandbox.operation);
    await using elsewhere = await bridge.open({ ...sandbox.context, scope: "0badcafe" });
    await elsewhere.detach(vm, nics, sandbox.operation);
    expect(sandbox.state()).toEqual(before);
  });

  test("need a bridge that is there and is one", async () => {
    using sandbox = withBridge();
    await using network = await bridge.open(sandbox.context);
    const plan = (name?: string): Promise<unknown> =>
      network.plan(vmRecord("a", { bridge: name }), 1, [], sandbox.operation);
    await expect(plan("br9")).rejects.toMatchObject({
      code: "BRIDGE_NOT_FOUND",
      kind: "not-found",
      details: { bridge: "br9" },
    });
    await expect(plan("lo")).rejects.toMatchObject({ code: "NOT_A_BRIDGE", kind: "invalid" });
    for (const name of [undefined, "", "-n", "a b", "a\nlink del br0", "x".repeat(16), "../br0"])
      await expect(plan(name)).rejects.toMatchObject({ code: "INVALID_SPEC", kind: "invalid" });
    const nics = await network.plan(vm, 1, [], sandbox.operation);
    sandbox.ip("link", "del", "br0");
    await expect(network.attach(vm, nics, sandbox.operation)).rejects.toMatchObject({
      code: "BRIDGE_NOT_FOUND",
    });
    await network.detach(vm, nics, sandbox.operation);
  });

  test("are listed as bridges with their ports", async () => {
    using sandbox = withBridge();
    await using network = await bridge.open(sandbox.context);
    sandbox.ip("link", "add", "br1", "type", "bridge");
    const nics = await network.plan(vm, 1, [], sandbox.operation);
    await network.attach(vm, nics, sandbox.operation);
    expect(await network.networks()).toMatchObject([
      {
        name: "br0",
        description: "bridge, 1 port",
        details: { mtu: 1400, ports: [nics[0]?.tap] },
      },
      { name: "br1", description: "bridge, 0 ports, down", details: { ports: [] } },
    ]);
  });

  test("cannot be made by a user without the right to", async () => {
    using sandbox = withBridge();
    const before = sandbox.state();
    await using network = await bridge.open(sandbox.contextOf(sandbox.hostOfNobody));
    const nics = await network.plan(vm, 1, [], sandbox.operation);
    await expect(network.attach(vm, nics, sandbox.operation)).rejects.toMatchObject({
      code: "PERMISSION_DENIED",
      kind: "denied",
      hint: expect.stringContaining("CAP_NET_ADMIN") as unknown,
    });
    expect(sandbox.state()).toEqual(before);
  });

  test("of many VMs are made and removed side by side", async () => {
    using sandbox = withBridge();
    const before = sandbox.state();
    await using network = await bridge.open(sandbox.context);
    const vms = Array.from({ length: 8 }, (_, number) =>
      vmRecord(`vm${number}`, { bridge: "br0" }),
    );
    const taps = await Promise.all(
      vms.map(async (each) => {
        const nics = await network.plan(each, 2, [], sandbox.operation);
        await network.attach(each, nics, sandbox.operation);
        return nics;
      }),
    );
    expect((await network.networks())[0]?.description).toBe("bridge, 16 ports");
    await Promise.all(
      vms.map((each, at) => network.detach(each, taps[at] ?? [], sandbox.operation)),
    );
    expect(sandbox.state()).toEqual(before);
  });

  test("of an aborted call are not left behind", async () => {
    using sandbox = withBridge();
    const before = sandbox.state();
    const reason = new Error("no more");
    const controller = new AbortController();
    const aborting = withGate(sandbox.host, ({ number, name }) => {
      if (number === 3 && name.startsWith("processes.run"))
        return () => {
          controller.abort(reason);
          controller.signal.throwIfAborted();
        };
      return undefined;
    });
    await using network = await bridge.open(sandbox.contextOf(aborting));
    const nics = await network.plan(vm, 3, [], sandbox.operation);
    const context = { ...sandbox.operation, signal: controller.signal };
    await expect(network.attach(vm, nics, context)).rejects.toBe(reason);
    expect(sandbox.state()).toEqual(before);
  });
});

test("a host without iproute2 is told what it lacks", async () => {
  const host = linuxHost();
  const { processes } = host;
  const run: typeof processes.run = (request) =>
    processes.run({ ...request, command: `/nonexistent/${request.command}` });
  await using network = await bridge.open({
    logger: silentLogger,
    scope: "0badcafe",
    stateDir: "/nonexistent",
    host: {
      ...host,
      processes: Object.assign(Object.create(processes) as typeof processes, { run }),
    },
  });
  await expect(network.networks()).rejects.toMatchObject({
    code: "IP_NOT_FOUND",
    kind: "unavailable",
  });
});
