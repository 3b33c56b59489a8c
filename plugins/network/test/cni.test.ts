import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Nic } from "@silkvm/core";
import { describe, expect, test } from "vitest";
import {
  bridgePlugin,
  cniOf,
  directoriesOf,
  makeCniBridge,
  writeConflist,
  writePlugin,
} from "./cni-files.ts";
import { broadcast, deliver, openPeer } from "./peer.ts";
import { answer, ping } from "./ping.ts";
import { cniPlugins, networkMissing, run, Sandbox, vmRecord } from "./sandbox.ts";

const vm = vmRecord("web", { network: "lab" });

/** A machine with a CNI network that a VM has been in, so that its bridge is there. */
function withNetwork(
  plugins?: (sandbox: Sandbox) => readonly Record<string, unknown>[],
  cniVersion?: string,
): Sandbox {
  const sandbox = new Sandbox();
  writeConflist(
    sandbox,
    "lab",
    plugins?.(sandbox) ?? [bridgePlugin(sandbox), { type: "portmap" }],
    cniVersion,
  );
  makeCniBridge(sandbox);
  return sandbox;
}

function inside(sandbox: Sandbox, id: string, ...args: readonly string[]): string {
  return run("ip", "-n", `silk-${sandbox.scope}-${id}`, ...args);
}

describe.skipIf(networkMissing !== undefined || cniPlugins === undefined)(
  "NICs in a CNI network",
  () => {
    test("have an interface of the network's plugins, a TAP wired to it, and its address, MAC and MTU; nothing is left of them", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const before = sandbox.state();
      const planned = await network.plan(vm, 2, [], sandbox.operation);
      expect(sandbox.state()).toEqual(before);
      const netnsPath = `/var/run/netns/silk-${sandbox.scope}-web`;
      expect(planned).toMatchObject([
        { provider: "cni", netnsPath },
        { provider: "cni", netnsPath },
      ]);
      const nics = await network.attach(vm, planned, sandbox.operation);
      for (const [index, nic] of nics.entries()) {
        expect(nic.address).toEqual({
          ip: `10.77.0.${index + 2}`,
          prefix: 24,
          gateway: "10.77.0.1",
        });
        const links = JSON.parse(inside(sandbox, "web", "-j", "-d", "link")) as {
          ifname: string;
        }[];
        const eth = links.find(({ ifname }) => ifname === `eth${index}`);
        expect(eth).toMatchObject({ address: nic.mac, mtu: 1380 });
        expect(nic.mac).toBe(planned[index]?.mac);
        expect(links.find(({ ifname }) => ifname === nic.tap)).toMatchObject({
          mtu: 1380,
          ifalias: `silk:${sandbox.scope}:web:${index}`,
        });
      }
      expect(nics.map(({ tap, queues }) => ({ tap, queues }))).toEqual(
        planned.map(({ tap, queues }) => ({ tap, queues })),
      );
      const state = join(sandbox.directory, "state", "web", "eth0.json");
      expect(statSync(state).mode & 0o777).toBe(0o600);
      await network.detach(vm, nics, sandbox.operation);
      await network.detach(vm, nics, sandbox.operation);
      expect(sandbox.state()).toEqual(before);
      expect(sandbox.warnings).toEqual([]);
    });

    test("carry frames between two VMs", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const db = vmRecord("db", { network: "lab" });
      const [one] = await network.attach(
        vm,
        await network.plan(vm, 1, [], sandbox.operation),
        sandbox.operation,
      );
      const [two] = await network.attach(
        db,
        await network.plan(db, 1, [], sandbox.operation),
        sandbox.operation,
      );
      await using first = await openPeer(`silk-${sandbox.scope}-web`, one?.tap ?? "");
      await using second = await openPeer(`silk-${sandbox.scope}-db`, two?.tap ?? "");
      await deliver(first, second, broadcast(one?.mac ?? "", "there"));
      await deliver(second, first, broadcast(two?.mac ?? "", "and back"));
    });

    test("let two VMs ping each other and their gateway, by the addresses that the network gave them", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const db = vmRecord("db", { network: "lab" });
      const inNetwork = async (record: typeof vm) => {
        const planned = await network.plan(record, 1, [], sandbox.operation);
        const [nic] = await network.attach(record, planned, sandbox.operation);
        if (nic?.address === undefined) throw new Error("the network gave no address");
        return { tap: nic.tap, mac: nic.mac, ...nic.address };
      };
      const [one, two] = [await inNetwork(vm), await inNetwork(db)];
      await using first = await openPeer(`silk-${sandbox.scope}-web`, one.tap);
      await using second = await openPeer(`silk-${sandbox.scope}-db`, two.tap);
      await ping(first, one, one.gateway);
      void answer(second, two);
      await ping(first, one, two.ip);
      void answer(first, one);
      await ping(second, two, one.ip);
    });

    test("are as they were when attached once more, and nothing is made anew", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const planned = await network.plan(vm, 2, [], sandbox.operation);
      const nics = await network.attach(vm, planned, sandbox.operation);
      const index = inside(sandbox, "web", "-j", "link");
      const before = sandbox.state();
      expect(await network.attach(vm, nics, sandbox.operation)).toEqual(nics);
      expect(inside(sandbox, "web", "-j", "link")).toBe(index);
      expect(sandbox.state()).toEqual(before);
      expect(sandbox.warnings).toEqual([]);
    });

    test("are made whole after a reboot of the host, with the address and the MAC that the guest knows", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const other = vmRecord("other", { network: "lab" });
      const before = sandbox.state();
      const nics = await network.attach(
        vm,
        await network.plan(vm, 2, [], sandbox.operation),
        sandbox.operation,
      );
      const others = await network.attach(
        other,
        await network.plan(other, 1, [], sandbox.operation),
        sandbox.operation,
      );
      run("ip", "netns", "del", `silk-${sandbox.scope}-web`);
      expect(await network.attach(vm, nics, sandbox.operation)).toEqual(nics);
      // The name of a namespace can outlive it, where it is on a disk.
      run("ip", "netns", "del", `silk-${sandbox.scope}-web`);
      writeFileSync(`/var/run/netns/silk-${sandbox.scope}-web`, "");
      expect(await network.attach(vm, nics, sandbox.operation)).toEqual(nics);
      expect(sandbox.warnings).toEqual([]);
      await network.detach(vm, nics, sandbox.operation);
      await network.detach(other, others, sandbox.operation);
      expect(sandbox.state()).toEqual(before);
    });

    test("are made anew where CHECK says that they are broken, and wired again where the TAP or the wire is gone", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const nics = await network.attach(
        vm,
        await network.plan(vm, 1, [], sandbox.operation),
        sandbox.operation,
      );
      const whole = inside(sandbox, "web", "addr", "show", "eth0").replaceAll(
        /^\d+: .*$|link-netns.*$|scope link.*/gm,
        "",
      );
      const tap = nics[0]?.tap ?? "";
      const wires = (): unknown =>
        ["eth0", tap].map((device) =>
          JSON.parse(
            run(
              "tc",
              "-n",
              `silk-${sandbox.scope}-web`,
              "-j",
              "filter",
              "show",
              "dev",
              device,
              "parent",
              "ffff:",
            ),
          ),
        );
      expect(JSON.stringify(wires())).toContain(`"to_dev":"${tap}"`);
      inside(sandbox, "web", "link", "del", tap);
      expect(await network.attach(vm, nics, sandbox.operation)).toEqual(nics);
      expect(sandbox.warnings).toEqual([]);
      expect(JSON.stringify(wires())).toContain(`"to_dev":"${tap}"`);
      expect(JSON.stringify(wires())).toContain(`"to_dev":"eth0"`);
      inside(sandbox, "web", "addr", "flush", "dev", "eth0");
      expect(await network.attach(vm, nics, sandbox.operation)).toEqual(nics);
      expect(sandbox.warnings).toEqual([expect.stringContaining("eth0 is made anew")]);
      expect(
        inside(sandbox, "web", "addr", "show", "eth0").replaceAll(
          /^\d+: .*$|link-netns.*$|scope link.*/gm,
          "",
        ),
      ).toBe(whole);
    });

    test("that cannot have their address again have another one, and the user is told", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const nics = await network.attach(
        vm,
        await network.plan(vm, 1, [], sandbox.operation),
        sandbox.operation,
      );
      await network.detach(vm, nics, sandbox.operation);
      const moved = nics.map((nic): Nic => ({
        ...nic,
        address: { ip: "192.168.9.9", prefix: 24, gateway: "192.168.9.1" },
      }));
      const [nic] = await network.attach(vm, moved, sandbox.operation);
      expect(nic?.address?.ip).toMatch(/^10\.77\.0\./);
      expect(sandbox.warnings).toEqual([expect.stringContaining("192.168.9.9")]);
      await network.detach(vm, nics, sandbox.operation);
      expect(sandbox.namespaces()).toEqual([]);
    });

    test("are removed by what the network was, though its file is gone or says something else by now", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const before = sandbox.state();
      const nics = await network.attach(
        vm,
        await network.plan(vm, 1, [], sandbox.operation),
        sandbox.operation,
      );
      writeConflist(sandbox, "lab", [{ type: "no-such-plugin" }]);
      await network.detach(vm, nics, sandbox.operation);
      expect(sandbox.state()).toEqual(before);
      writeConflist(sandbox, "lab", [bridgePlugin(sandbox)]);
      const again = await network.attach(vm, nics, sandbox.operation);
      rmSync(join(directoriesOf(sandbox).configDir, "10-lab.conflist"));
      // Where it is whole its file is not needed either.
      expect(await network.attach(vm, again, sandbox.operation)).toEqual(again);
      await network.detach(vm, nics, sandbox.operation);
      expect(sandbox.state()).toEqual(before);
      await expect(network.attach(vm, nics, sandbox.operation)).rejects.toMatchObject({
        code: "NETWORK_NOT_FOUND",
      });
      expect(sandbox.state()).toEqual(before);
    });

    test("of many VMs are made and removed side by side, each with an address of its own", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const before = sandbox.state();
      const vms = Array.from({ length: 4 }, (_, number) =>
        vmRecord(`vm${number}`, { network: "lab" }),
      );
      const attached = await Promise.all(
        vms.map(async (each) =>
          network.attach(
            each,
            await network.plan(each, 1, [], sandbox.operation),
            sandbox.operation,
          ),
        ),
      );
      expect(new Set(attached.map(([nic]) => nic?.address?.ip)).size).toBe(4);
      await Promise.all(
        vms.map((each, at) => network.detach(each, attached[at] ?? [], sandbox.operation)),
      );
      expect(sandbox.state()).toEqual(before);
    });

    test("go one by one, and the namespace with the last", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const before = sandbox.state();
      const nics = await network.attach(
        vm,
        await network.plan(vm, 3, [], sandbox.operation),
        sandbox.operation,
      );
      await network.detach(vm, nics.slice(1), sandbox.operation);
      expect(inside(sandbox, "web", "link")).toContain("eth0");
      expect(inside(sandbox, "web", "link")).not.toContain("eth1");
      const more = await network.plan(vm, 1, nics.slice(0, 1), sandbox.operation);
      const [second] = await network.attach(vm, more, sandbox.operation);
      expect(second?.tap).toBe(nics[1]?.tap);
      await network.detach(vm, [...nics.slice(0, 1), ...more], sandbox.operation);
      expect(sandbox.state()).toEqual(before);
    });

    test("of a plugin that fails in the middle are taken back whole, and its own words are told", async () => {
      const failing = (sandbox: Sandbox) => {
        writePlugin(
          sandbox,
          "moody",
          `echo "$CNI_COMMAND" >> ${sandbox.directory}/calls
         [ $CNI_COMMAND = ADD ] || exit 0
         echo '{"cniVersion": "1.0.0", "code": 107, "msg": "not today", "details": "ask tomorrow"}'; exit 1`,
        );
        return [bridgePlugin(sandbox), { type: "moody" }];
      };
      using sandbox = withNetwork(failing);
      await using network = await cniOf(sandbox).open(sandbox.context);
      const before = sandbox.state();
      const nics = await network.plan(vm, 2, [], sandbox.operation);
      await expect(network.attach(vm, nics, sandbox.operation)).rejects.toMatchObject({
        code: "CNI_FAILED",
        kind: "failed",
        message: "the CNI plugin moody of the network lab failed at ADD: not today: ask tomorrow",
        details: { plugin: "moody", network: "lab", command: "ADD", code: 107, msg: "not today" },
      });
      expect(sandbox.state()).toEqual(before);
      expect(readFileSync(join(sandbox.directory, "calls"), "utf8")).toBe("ADD\nDEL\n");
    });

    test("whose plugin cannot remove them stay remembered, can be removed later, and the way out is told", async () => {
      const stubborn = (sandbox: Sandbox) => {
        writePlugin(
          sandbox,
          "stubborn",
          `[ $CNI_COMMAND = ADD ] && echo '{}' ; test $CNI_COMMAND = ADD -o -e ${sandbox.directory}/let-go`,
        );
        return [bridgePlugin(sandbox), { type: "stubborn" }];
      };
      using sandbox = withNetwork(stubborn);
      await using network = await cniOf(sandbox).open(sandbox.context);
      const before = sandbox.state();
      const nics = await network.attach(
        vm,
        await network.plan(vm, 1, [], sandbox.operation),
        sandbox.operation,
      );
      const path = join(sandbox.directory, "state", "web", "eth0.json");
      await expect(network.detach(vm, nics, sandbox.operation)).rejects.toMatchObject({
        code: "CNI_FAILED",
        hint: expect.stringContaining(path) as unknown,
      });
      expect(existsSync(path)).toBe(true);
      writeFileSync(join(sandbox.directory, "let-go"), "");
      await network.detach(vm, nics, sandbox.operation);
      rmSync(join(sandbox.directory, "let-go"));
      expect(sandbox.state()).toEqual(before);
    });

    test.each(["0.3.1", "0.4.0", "1.0.0"])(
      "are made and removed by plugins of version %s, who are given what that version says",
      async (version) => {
        const spying = (sandbox: Sandbox) => {
          writePlugin(
            sandbox,
            "spy",
            `printf '%s\\n' "$CONFIG" > ${sandbox.directory}/$CNI_COMMAND.json
         printf '%s\\n' "$CNI_CONTAINERID" "$CNI_NETNS" "$CNI_IFNAME" "$CNI_ARGS" > ${sandbox.directory}/$CNI_COMMAND.env`,
          );
          return [
            bridgePlugin(sandbox),
            { type: "spy", capabilities: { mac: true, ips: true }, own: [1, { a: "ä" }] },
          ];
        };
        using sandbox = withNetwork(spying, version);
        await using network = await cniOf(sandbox).open(sandbox.context);
        const nics = await network.attach(
          vm,
          await network.plan(vm, 1, [], sandbox.operation),
          sandbox.operation,
        );
        await network.attach(vm, nics, sandbox.operation);
        await network.detach(vm, nics, sandbox.operation);
        const seen = (command: string): unknown =>
          JSON.parse(readFileSync(join(sandbox.directory, `${command}.json`), "utf8"));
        const common = {
          cniVersion: version,
          name: "lab",
          type: "spy",
          own: [1, { a: "ä" }],
          runtimeConfig: { mac: nics[0]?.mac },
        };
        const prevResult = { cniVersion: version, ips: [{ address: "10.77.0.2/24" }] };
        expect(seen("ADD")).toMatchObject({ ...common, prevResult });
        expect(seen("ADD")).not.toHaveProperty("capabilities");
        if (version === "0.3.1") {
          expect(seen("DEL")).toEqual(common);
          expect(existsSync(join(sandbox.directory, "CHECK.json"))).toBe(false);
        } else {
          expect(seen("DEL")).toMatchObject({ ...common, prevResult });
          expect(seen("CHECK")).toMatchObject({ ...common, prevResult });
        }
        const id = `silk-${sandbox.scope}-web`;
        expect(readFileSync(join(sandbox.directory, "ADD.env"), "utf8")).toBe(
          `${id}\n/var/run/netns/${id}\neth0\nIgnoreUnknown=1;MAC=${nics[0]?.mac}\n`,
        );
      },
    );

    test("without an address of the network have none, and the guest asks by DHCP", async () => {
      using sandbox = withNetwork(() => [{ type: "bridge", bridge: "cni0", ipam: {} }]);
      await using network = await cniOf(sandbox).open(sandbox.context);
      const nics = await network.attach(
        vm,
        await network.plan(vm, 1, [], sandbox.operation),
        sandbox.operation,
      );
      expect(nics[0]).not.toHaveProperty("address");
      await network.detach(vm, nics, sandbox.operation);
      expect(sandbox.namespaces()).toEqual([]);
    });

    test("of a plugin that makes no interface are refused, and taken back", async () => {
      const idle = (sandbox: Sandbox) => {
        writePlugin(
          sandbox,
          "idle",
          `[ $CNI_COMMAND = ADD ] && echo '{"cniVersion": "1.0.0"}'; exit 0`,
        );
        return [{ type: "idle" }];
      };
      using sandbox = withNetwork(idle);
      await using network = await cniOf(sandbox).open(sandbox.context);
      const before = sandbox.state();
      const nics = await network.plan(vm, 1, [], sandbox.operation);
      await expect(network.attach(vm, nics, sandbox.operation)).rejects.toMatchObject({
        code: "CNI_FAILED",
        message: "the plugins of the network lab made no interface eth0",
      });
      expect(sandbox.state()).toEqual(before);
    });

    test("of a running VM come into the namespace that it runs in, also when its name is gone, and into no other", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const nics = await network.attach(
        vm,
        await network.plan(vm, 1, [], sandbox.operation),
        sandbox.operation,
      );
      await using vmm = sleeper(`silk-${sandbox.scope}-web`);
      const running = { ...vm, runtime: runtimeOf(sandbox, vmm.pid) };
      await network.detach(running, nics, sandbox.operation);
      expect(sandbox.namespaces()).toEqual([]);
      await network.attach(running, nics, sandbox.operation);
      const inode = (path: string): number => statSync(path).ino;
      expect(inode(`/var/run/netns/silk-${sandbox.scope}-web`)).toBe(
        inode(`/proc/${vmm.pid}/ns/net`),
      );
      await network.detach(running, nics, sandbox.operation);

      const elsewhere = { ...vm, runtime: runtimeOf(sandbox, process.pid) };
      await expect(network.attach(elsewhere, nics, sandbox.operation)).rejects.toMatchObject({
        code: "NETNS_MISMATCH",
        kind: "conflict",
      });
      expect(sandbox.namespaces()).toEqual([]);
    });

    test("need a network that is there and can be used", async () => {
      using sandbox = withNetwork();
      await using network = await cniOf(sandbox).open(sandbox.context);
      const plan = (name?: string): Promise<unknown> =>
        network.plan(vmRecord("a", { network: name }), 1, [], sandbox.operation);
      await expect(plan("nope")).rejects.toMatchObject({
        code: "NETWORK_NOT_FOUND",
        kind: "not-found",
        hint: "There are lab.",
      });
      expect(await plan()).toHaveLength(1);
      writeConflist(sandbox, "two", [{ type: "bridge" }, { type: "no-such-plugin" }]);
      await expect(plan()).rejects.toMatchObject({ code: "INVALID_SPEC" });
      await expect(plan("two")).rejects.toMatchObject({
        code: "CNI_PLUGIN_NOT_FOUND",
        kind: "unavailable",
        details: { plugin: "no-such-plugin" },
      });
    });

    test("are listed as networks with their plugins, the broken ones by their files", async () => {
      using sandbox = withNetwork();
      const { configDir } = directoriesOf(sandbox);
      writeConflist(sandbox, "two", [{ type: "bridge" }, { type: "no-such-plugin" }]);
      writeFileSync(join(configDir, "20-half.conflist"), '{"cniVersion": "1.0.0", "na');
      writeFileSync(
        join(configDir, "30-again.conf"),
        JSON.stringify({ cniVersion: "0.4.0", name: "lab", type: "ptp" }),
      );
      writeFileSync(
        join(configDir, "40-single.conf"),
        JSON.stringify({ cniVersion: "0.4.0", name: "single", type: "ptp" }),
      );
      writeFileSync(
        join(configDir, "50-evil.conflist"),
        JSON.stringify({ cniVersion: "1.0.0", name: "evil", plugins: [{ type: "../../bin/sh" }] }),
      );
      writeFileSync(join(configDir, "README"), "no network");
      await using network = await cniOf(sandbox).open(sandbox.context);
      expect(
        (await network.networks()).map(({ name, description }) => `${name}: ${description}`),
      ).toEqual([
        "lab: CNI 1.0.0: bridge, portmap",
        "two: CNI 1.0.0: bridge, no-such-plugin (not installed: no-such-plugin)",
        expect.stringContaining("20-half.conflist: CNI, unusable: "),
        `30-again.conf: CNI, unusable: ${configDir}/10-lab.conflist has the name lab already`,
        "single: CNI 0.4.0: ptp",
        expect.stringContaining("50-evil.conflist: CNI, unusable: "),
      ]);
    });
  },
);

/** A process that lives in a namespace, as a VMM does. */
function sleeper(namespace: string): AsyncDisposable & { readonly pid: number } {
  const child = spawn("nsenter", [`--net=/var/run/netns/${namespace}`, "sleep", "1000"]);
  const exited = once(child, "exit");
  return {
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function runtimeOf({ host }: Sandbox, pid: number): NonNullable<typeof vm.runtime> {
  const identity = host.processes.identify(pid);
  if (identity === undefined) throw new Error("the process is gone");
  return {
    vmm: identity,
    vmmVersion: "v0",
    apiSocketPath: "/nonexistent",
    startedAt: "2026-01-01T00:00:00.000Z",
  };
}
