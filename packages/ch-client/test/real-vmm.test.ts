import { once } from "node:events";
import { truncate, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as ch from "../src/index.ts";
import { failure } from "./support/failure.ts";
import { RealVmm, realVmmFound, Workplace } from "./support/real-vmm.ts";

let place: Workplace;
beforeAll(async () => {
  place = await Workplace.make();
});
afterAll(() => place[Symbol.asyncDispose]());

async function disk(name: string): Promise<string> {
  await writeFile(place.path(name), "");
  await truncate(place.path(name), 1024 * 1024);
  return place.path(name);
}

describe.skipIf(!realVmmFound)("a real VMM", () => {
  it("answers a ping with its version and its pid", async () => {
    await using vmm = await RealVmm.startEmpty(place);
    const pong = await vmm.client.vmm.ping();
    expect(pong.pid).toBe(vmm.process.pid);
    expect(pong.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(pong.features).toContain("kvm");
  });

  it("is driven from create to delete", async () => {
    await using vmm = await RealVmm.startEmpty(place);
    const { vm } = vmm.client;
    const path = await disk("life.raw");
    await vm.create({
      cpus: { boot_vcpus: 1, max_vcpus: 2 },
      memory: { size: 128 * 1024 * 1024 },
      payload: { kernel: place.kernel },
      disks: [{ id: "root", path, image_type: "Raw" }],
      serial: { mode: "Null" },
      console: { mode: "Off" },
    });
    expect((await vm.info()).state).toBe("Created");
    await vm.boot();
    const info = await vm.info();
    expect(info.state).toBe("Running");
    expect(info.config.disks?.[0]?.num_queues).toBe(1);
    expect(info.device_tree?.["root"]?.parent).toBe("_virtio-pci-root");
    expect(info.device_tree?.["_virtio-pci-root"]?.pci_bdf).toMatch(/^0000:/);

    const counters = await vm.counters();
    expect(counters["root"]?.["read_latency_min"]).toBe(2n ** 64n - 1n);
    expect(counters["root"]?.["read_ops"]).toBe(0);

    await vm.pause();
    expect((await vm.info()).state).toBe("Paused");
    expect(ch.invalidStateTransition(await failure(vm.pause()))).toEqual({
      from: "Paused",
      to: "Paused",
    });
    await vm.resume();
    await vm.powerButton();
    await vm.shutdown();
    expect(await failure(vm.shutdown())).toMatchObject({
      chain: ["Error from API", "The VM could not shutdown", "VM is not running"],
    });
    await vm.boot();
    await vm.reboot();
    await vm.delete();
    expect(ch.isNotCreated(await failure(vm.info()))).toBe(true);
    expect(vmm.isAlive).toBe(true);
  });

  it("refuses with the errors that the predicates know", async () => {
    await using vmm = await RealVmm.startEmpty(place);
    const { vm } = vmm.client;
    expect(ch.isNotCreated(await failure(vm.boot()))).toBe(true);
    expect(ch.isNotRunning(await failure(vm.counters()))).toBe(true);
    expect(ch.isUnknownCall(await failure(vm.coredump({ destination_url: "file:///x" })))).toBe(
      true,
    );

    const config = {
      cpus: { boot_vcpus: 1, max_vcpus: 4 },
      payload: { kernel: place.kernel },
      console: { mode: "Off" },
    } as const;
    await vm.create(config);
    expect(ch.isAlreadyCreated(await failure(vm.create(config)))).toBe(true);
    await vm.boot();
    const path = await disk("locked.raw");
    const added = await vm.addDisk({ id: "d", path, image_type: "Raw" });
    expect(added).toEqual({ id: "d", bdf: expect.stringMatching(/^0000:00:/) });
    expect(
      ch.isIdNotUnique(
        await failure(vm.addDisk({ id: "d", path: await disk("other.raw"), image_type: "Raw" })),
      ),
    ).toBe(true);
    expect(ch.isDeviceNotFound(await failure(vm.removeDevice({ id: "nope" })))).toBe(true);
    expect(ch.isDeviceNotRemovable(await failure(vm.removeDevice({ id: "__rng" })))).toBe(true);
    expect(
      ch.isSharedMemoryRequired(await failure(vm.addFs({ tag: "t", socket: "/nonexistent" }))),
    ).toBe(true);
    expect(
      ch.osErrorOf(await failure(vm.addDisk({ path: "/nonexistent", image_type: "Raw" }))),
    ).toBe(2);

    await vm.resize({ desired_vcpus: 3 });
    await vm.resize({ desired_vcpus: 1 });
    expect(ch.isPendingResize(await failure(vm.resize({ desired_vcpus: 2 })))).toBe(true);

    await using second = await RealVmm.startEmpty(place, "second.sock");
    await second.client.vm.create({ ...config, disks: [{ path, image_type: "Raw" }] });
    const locked = await failure(second.client.vm.boot());
    expect(ch.lockedDisk(locked)).toBe(path);
  });

  it("takes a body of the length that the client allows, and is spoken to anew after one that it refused", async () => {
    await using vmm = await RealVmm.startEmpty(place);
    const transport = ch.undiciTransport(vmm.client.socketPath);
    const long = await transport({
      method: "PUT",
      path: "/api/v1/vm.create",
      body: " ".repeat(60_000),
    });
    expect(long).toMatchObject({
      status: 400,
      body: expect.stringContaining("larger than the limit of 51200"),
    });
    const most = await transport({
      method: "PUT",
      path: "/api/v1/vm.create",
      body: `{}${" ".repeat(51_198)}`,
    });
    expect(most).toMatchObject({ status: 204, body: "" });
    await transport.close?.();
  });

  it("knows generic_vhost_user and not the name that its OpenAPI file has for it", async () => {
    await using vmm = await RealVmm.startEmpty(place);
    const device = { socket: "/s", device_type: 26, queue_sizes: [64] };
    await vmm.client.vm.create({ generic_vhost_user: [device] });
    expect((await vmm.client.vm.info()).config.generic_vhost_user).toEqual([
      { ...device, pci_segment: 0 },
    ]);
    await vmm.client.vm.delete();
    const misnamed: object = { "generic-vhost-user": [device] };
    await vmm.client.vm.create(misnamed);
    expect((await vmm.client.vm.info()).config.generic_vhost_user).toBeUndefined();
  });

  it("with ten connections has no room for one more, and a read waits for it", async () => {
    await using vmm = await RealVmm.startEmpty(place);
    await vmm.client.close();
    const others: Socket[] = [];
    for (let count = 0; count < 10; count++) {
      const socket = connect(vmm.client.socketPath).on("error", () => undefined);
      await once(socket, "connect");
      socket.write("GET /api/v1/vmm.ping HTTP/1.1\r\n\r\n");
      await once(socket, "data");
      others.push(socket);
    }
    await using late = ch.createChClient({ socketPath: vmm.client.socketPath });
    const refused = await failure(late.vm.pause());
    expect(
      ch.isServerFull(refused) || (ch.ChConnectionError.is(refused) && refused.reason === "closed"),
    ).toBe(true);
    const ping = late.vmm.ping();
    others.pop()?.destroy();
    expect((await ping).pid).toBe(vmm.process.pid);
    for (const socket of others) socket.destroy();
  });

  it("says when it is asked to end that it will, or has", async () => {
    await using vmm = await RealVmm.startEmpty(place);
    expect(await vmm.client.vmm.shutdown()).toBeOneOf(["answered", "closed"]);
    await vmm.ended();
    await using again = ch.createChClient({ socketPath: vmm.client.socketPath });
    const after = await failure(again.vmm.shutdown());
    expect(ch.isVmmEnding(after)).toBe(true);
    expect(ch.ChConnectionError.is(after) && after.sent).toBe(false);
  });

  it("that hangs in a call is given up by the deadline, and when it is killed the connection is closed", async () => {
    await using vmm = await RealVmm.startEmpty(place);
    const { vm } = vmm.client;
    await vm.create({
      memory: { size: 128 * 1024 * 1024, shared: true },
      payload: { kernel: place.kernel },
      console: { mode: "Off" },
    });
    await vm.boot();
    // Somebody who takes the VMM's connection and then says nothing: the VMM waits for an answer, deaf to all else.
    const socket = place.path("mute.sock");
    const mute = createServer((connection) => void connection.on("error", () => undefined)).listen(
      socket,
    );
    await once(mute, "listening");
    const hanging = failure(vm.addFs({ tag: "t", socket }));
    await once(mute, "connection");
    await using other = ch.createChClient({ socketPath: vmm.client.socketPath });
    expect(await failure(other.vmm.ping({ timeoutMs: 200 }))).toMatchObject({
      code: "CH_TIMEOUT",
      sent: true,
    });
    const waiting = failure(ch.waitForState(other, "Paused", vmm.waitOptions));
    vmm.process.kill("SIGKILL");
    expect(await hanging).toMatchObject({ code: "CH_CONNECTION", reason: "closed", sent: true });
    expect(await waiting).toMatchObject({ code: "CH_VMM_ENDED" });
    mute.close();
  });

  it("started with a VM in its arguments runs it soon, or ends, which a wait notices", async () => {
    const socketPath = place.path("args.sock");
    const launch: ch.VmmLaunch = {
      apiSocket: socketPath,
      payload: { kernel: place.kernel },
      console: { mode: "Off" },
    };
    await using good = RealVmm.start(socketPath, ch.launchArgs(launch));
    expect((await ch.waitForState(good.client, "Running", good.waitOptions)).state).toBe("Running");

    const badSocket = place.path("bad.sock");
    await using bad = RealVmm.start(
      badSocket,
      ch.launchArgs({ ...launch, apiSocket: badSocket, disks: [{ path: "/nonexistent" }] }),
    );
    expect(
      ch.ChVmmEndedError.is(await failure(ch.waitForState(bad.client, "Running", bad.waitOptions))),
    ).toBe(true);
    expect(bad.log).toContain("No such file or directory");
  });
});

describe.skipIf(!realVmmFound)("the events of a real VMM", () => {
  it("are read from its file, and from the start when it starts again", async () => {
    const file = place.path("events, and more.json");
    const socketPath = place.path("events.sock");
    const args = ch.launchArgs({
      apiSocket: socketPath,
      eventMonitor: file,
      payload: { kernel: place.kernel },
      console: { mode: "Off" },
    });
    const seen: string[] = [];
    const controller = new AbortController();
    const reading = failure(
      (async () => {
        for await (const { event } of ch.readEvents(file, { signal: controller.signal }))
          seen.push(event);
      })(),
    );
    for (let round = 1; round <= 2; round++) {
      await using vmm = RealVmm.start(socketPath, args);
      await ch.waitForState(vmm.client, "Running", vmm.waitOptions);
      await vmm.client.vm.pause();
      await vmm.client.vm.resume();
      await vmm.client.vm.delete();
      const one = [
        "starting",
        "booting",
        "booted",
        "pausing",
        "paused",
        "resuming",
        "resumed",
        "shutdown",
        "deleted",
      ];
      await expect.poll(() => seen).toEqual(Array.from({ length: round }, () => one).flat());
    }
    controller.abort();
    expect(await reading).toMatchObject({ code: "CH_ABORTED" });
  });

  it("are read from a descriptor that it inherits", async () => {
    const socketPath = place.path("eventfd.sock");
    const launch = {
      apiSocket: socketPath,
      eventMonitor: { fd: 3 },
      payload: { kernel: place.kernel },
      console: { mode: "Off" },
    } as const;
    await using vmm = RealVmm.start(socketPath, ch.launchArgs(launch), 1);
    const times: number[] = [];
    for await (const event of ch.parseEvents(vmm.pipe(0))) {
      times.push(ch.eventTimeMs(event));
      if (ch.isEvent(event, "vm", "booted")) break;
    }
    expect(times).toHaveLength(3);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});

describe.skipIf(!realVmmFound)("one description of a VM", () => {
  it("makes the same VM by arguments and by vm.create, whatever is in its paths", async () => {
    const odd = [await disk('a,b "c".raw'), await disk("[d] ]e.raw"), await disk(" =f@ä .raw")];
    const launch: ch.VmmLaunch = {
      cpus: {
        boot_vcpus: 2,
        max_vcpus: 4,
        topology: { threads_per_core: 1, cores_per_die: 4, dies_per_package: 1, packages: 1 },
        max_phys_bits: 45,
        affinity: [{ vcpu: 0, host_cpus: [0, 1] }],
        features: { amx: false },
        nested: false,
        core_scheduling: "Off",
        profile: "Host",
      },
      memory: {
        size: 0,
        hotplug_method: "VirtioMem",
        thp: false,
        zones: [{ id: "z0", size: 134_217_728, shared: true, hotplug_size: 268_435_456 }],
      },
      payload: { kernel: place.kernel, cmdline: '-- console=hvc0 "a,b" [c]' },
      numa: [
        {
          guest_numa_id: 0,
          cpus: [0, 1, 2, 3],
          distances: [{ destination: 0, distance: 10 }],
          memory_zones: ["z0"],
        },
      ],
      platform: {
        num_pci_segments: 2,
        system_serial_number: "s,1",
        system_uuid: "2c8c3ae4-1d5b-4b6e-9d3a-000000000000",
        oem_strings: ["one", "two words"],
        system_manufacturer: 'm "q"',
        chassis_asset_tag: "[tag]",
      },
      pci_segments: [{ pci_segment: 1, mmio32_aperture_weight: 2, mmio64_aperture_weight: 3 }],
      rate_limit_groups: [
        {
          id: "g,1",
          rate_limiter_config: { ops: { size: 10, one_time_burst: 5, refill_time: 100 } },
        },
      ],
      disks: [
        {
          id: "d0",
          path: odd[0],
          readonly: true,
          image_type: "Raw",
          num_queues: 2,
          queue_size: 256,
          serial: "a,b",
          rate_limit_group: "g,1",
        },
        {
          id: "d1",
          path: odd[1],
          sparse: false,
          image_type: "Raw",
          num_queues: 2,
          queue_affinity: [{ queue_index: 1, host_cpus: [0, 1] }],
          lock_granularity: "Full",
          rate_limiter_config: {
            bandwidth: { size: 2n ** 60n, one_time_burst: 0, refill_time: 1000 },
          },
          disable_io_uring: true,
        },
        { id: "d2", path: odd[2], image_type: "Raw", pci_segment: 1, pci_device_id: 5 },
      ],
      rng: { src: "/dev/urandom", id: "entropy" },
      balloon: { size: 16_777_216, deflate_on_oom: true, free_page_reporting: true },
      watchdog: true,
      pvpanic: true,
      rtc: {},
      vsock: { cid: 77, socket: place.path("v,s.sock") },
      serial: { mode: "File", file: place.path("serial,[1].log") },
      console: { mode: "File", file: place.path('console "2".log') },
      debug_console: { mode: "Off", iobase: 0x402 },
    };
    const byArguments = place.path("by args,1.sock");
    await using first = RealVmm.start(
      byArguments,
      ch.launchArgs({ ...launch, apiSocket: byArguments, seccomp: "log", verbosity: 1 }),
    );
    const expected = await ch
      .waitForState(first.client, "Running", first.waitOptions)
      .catch((error: unknown) => {
        throw new Error(first.log, { cause: error });
      });
    await first.client.vmm.shutdown();
    await first.ended();

    await using second = await RealVmm.startEmpty(place, "by create.sock");
    await second.client.vm.create(ch.toVmConfig(launch));
    await second.client.vm.boot();
    const info = await second.client.vm.info();
    expect(info.config).toEqual(expected.config);
    expect(info.config.disks?.map(({ path }) => path)).toEqual(odd);
    expect(info.config.disks?.[1]?.rate_limiter_config?.bandwidth?.size).toBe(2n ** 60n);
  });
});
