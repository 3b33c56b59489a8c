import { existsSync, readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox } from "./support/sandbox.ts";

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await makeSandbox({ host: { vfio: true } });
  await sandbox.ok("vm", "run", "--name", "web", ...sandbox.vmFlags);
  await sandbox.ok("vm", "create", "--name", "db", ...sandbox.vmFlags);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

const sysfs = "/sys/bus/pci/devices";
const addresses = existsSync(sysfs) ? readdirSync(sysfs) : [];

/** The exit code and the error of a command that fails. */
async function failure(...args: string[]) {
  const { code, stdout } = await sandbox.silk([...args, "--json"]);
  return {
    exit: code,
    ...(JSON.parse(stdout) as { error: { code: string; hint?: string } }).error,
  };
}

describe("silk host devices", () => {
  it("lists every PCI device of the host, as a table and for programs, bridges with --all", async () => {
    const all = await sandbox.json<{ address: string; bridge: boolean; usable: string }[]>(
      "host",
      "devices",
      "--all",
    );
    expect(all.map(({ address }) => address)).toEqual([...addresses].sort());
    for (const { usable } of all) expect(["yes", "bind", "no"]).toContain(usable);
    const some = await sandbox.json<unknown[]>("host", "devices");
    expect(some).toEqual(all.filter(({ bridge }) => !bridge));
    const table = (await sandbox.ok("host", "devices")).split("\n");
    expect(table[0]?.split(/ +/)).toEqual(["ADDRESS", "NAME", "DRIVER", "GROUP", "USABLE"]);
    expect(table).toHaveLength(some.length + 1);
  });
});

describe("silk vm device", () => {
  it.each(["1:00.0", "0000:01:00", "/sys/bus/pci/devices/01:00.0", "nvme0", ""])(
    "attach refuses the address %j before anything else",
    async (pci) => {
      const attach = ["vm", "device", "attach"];
      for (const vm of ["web", "db", "nosuch"])
        expect(await failure(...attach, vm, "--pci", pci)).toMatchObject({
          exit: 2,
          code: "INVALID_PCI_ADDRESS",
        });
    },
  );

  it("attach says what is missing: the device, a VM that runs, the other flag", async () => {
    const attach = (vm: string) => ["vm", "device", "attach", vm, "--pci", "ffff:ff:1f.7"];
    expect(await failure(...attach("web"))).toMatchObject({
      exit: 3,
      code: "PCI_DEVICE_NOT_FOUND",
      hint: expect.stringContaining("silk host devices") as string,
    });
    expect(await failure(...attach("db"))).toMatchObject({ exit: 4, code: "VM_NOT_RUNNING" });
    expect(await failure(...attach("web"), "--id", "_x")).toMatchObject({
      exit: 2,
      code: "INVALID_DEVICE_ID",
    });
    expect(await failure(...attach("web"), "--force")).toMatchObject({ exit: 2 });
  });

  it("list is empty where there is none, and detach says so", async () => {
    expect(await sandbox.json("vm", "device", "ls", "web")).toEqual([]);
    expect(await sandbox.ok("vm", "device", "list", "db")).toBe(
      "ID  PCI  STATE  ADDRESS  GROUP  BOUND",
    );
    expect(await failure("vm", "device", "detach", "web", "--id", "gpu")).toMatchObject({
      exit: 3,
      code: "DEVICE_NOT_FOUND",
    });
  });
});
