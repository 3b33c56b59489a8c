import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type EngineConfig, kvmProblem, type SilkError } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { qemuMissing, qemuSettings, qemuSpec } from "./real-qemu.ts";
import { makeSandbox, type Sandbox } from "./sandbox.ts";

describe.skipIf(qemuMissing !== undefined)("the backend qemu refuses", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await makeSandbox("cloud-hypervisor", [], qemuSettings);
  });
  afterAll(() => sandbox[Symbol.asyncDispose]());

  /** What a start fails with under other settings. */
  async function startWith(settings: Partial<EngineConfig>): Promise<SilkError> {
    await using other = await makeSandbox("cloud-hypervisor", [], { ...qemuSettings, ...settings });
    await using engine = await other.engine();
    const vm = await engine.create(await qemuSpec());
    return await vm.start().then(
      () => expect.fail("it started"),
      (error: unknown) => error as SilkError,
    );
  }

  it("a machine that QEMU does not have, and says which it has", async () => {
    const error = await startWith({ qemuMachine: "pc-9000" });
    expect(error).toMatchObject({ code: "MACHINE_UNKNOWN", kind: "unsupported" });
    expect(error.hint).toContain("-machine help");
  });

  it("a program that is missing, that is too old, and that is none of QEMU's", async () => {
    expect(await startWith({ qemuBinary: "/nonexistent/qemu" })).toMatchObject({
      code: "VMM_NOT_FOUND",
    });
    const path = join(sandbox.dir, "qemu");
    const probe = async (answer: string): Promise<unknown> => {
      await writeFile(path, `#!/bin/sh\necho '${answer}'\n`);
      await chmod(path, 0o755);
      await using other = await makeSandbox("cloud-hypervisor", [], {
        ...qemuSettings,
        qemuBinary: path,
      });
      await using engine = await other.engine();
      return await (await engine.backend()).probe().catch((error: unknown) => error);
    };
    for (const [answer, code] of [
      ["QEMU emulator version 6.2.0", "VMM_TOO_OLD"],
      ["hello", "VMM_UNUSABLE"],
    ] as const) {
      expect(await probe(answer)).toMatchObject({ code });
      // It takes none of our arguments, and ends.
      expect(await startWith({ qemuBinary: path })).toMatchObject({ code });
    }
  });

  it("to do without a KVM that opens and does not work, where it is insisted on", async (test) => {
    test.skip((await kvmProblem(linuxHost())) !== undefined, "/dev/kvm does not open");
    const path = join(sandbox.dir, "broken");
    const said = "qemu-system-x86_64: ../kvm.c:3183: kvm_buf_set_msrs: Assertion failed";
    await writeFile(
      path,
      `#!/bin/sh\n[ "$1" = --version ] && echo 'QEMU emulator version 9.0.0' && exit\necho '${said}' >&2\nexit 1\n`,
    );
    await chmod(path, 0o755);
    const error = await startWith({ qemuBinary: path, qemuAccel: "kvm" });
    expect(error).toMatchObject({ code: "KVM_UNAVAILABLE", kind: "unavailable" });
    expect(error.message).toContain("kvm_buf_set_msrs");
    expect(error.hint).toContain("qemuAccel auto");
  });

  it("a disk that another VM has, by the VM's name, and runs once it is free", async () => {
    await using engine = await sandbox.engine();
    const path = join(sandbox.dir, "shared.raw");
    await writeFile(path, Buffer.alloc(2 ** 20));
    const spec = { ...(await qemuSpec()), disks: [{ path }] };
    const first = await engine.create({ ...spec, name: "first" });
    const second = await engine.create({ ...spec, name: "second" });
    await first.start();
    const refusal = await second.start().catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "DISK_LOCKED", kind: "conflict" });
    expect((refusal as SilkError).message).toContain(first.id);
    await first.stop({ force: true });
    await second.start();
    expect((await second.inspect()).state).toBe("running");
    await engine.delete(["first", "second"], { force: true });
  });

  it("nobody who looks: many do at once, and each is told", async () => {
    await using engine = await sandbox.engine();
    const vm = await engine.create({ ...(await qemuSpec()), name: "seen" });
    await vm.start();
    const views = await Promise.all(Array.from({ length: 12 }, () => vm.inspect()));
    expect(new Set(views.map(({ observed }) => observed.vmm))).toEqual(new Set(["running"]));
    await vm.delete({ force: true });
  });
});
