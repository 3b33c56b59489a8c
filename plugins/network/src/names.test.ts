import { expect, test } from "vitest";
import { namespaceName, nicIndex, tapAlias, tapName } from "./names.ts";

const owner = { scope: "0badcafe", vmId: "web" };

test("a TAP's name fits into the kernel's 15 characters, whatever the VM is called", () => {
  for (const vmId of ["a", "x".repeat(63)])
    for (const index of [0, 99]) {
      const name = tapName({ scope: "0badcafe", vmId }, index);
      expect(name).toMatch(/^sk[0-9a-f]{10}-\d{1,2}$/);
      expect(name.length).toBeLessThanOrEqual(15);
    }
});

test("VMs and installations have TAPs of other names, and one VM's begin alike", () => {
  const names = [
    tapName(owner, 0),
    tapName({ ...owner, vmId: "db" }, 0),
    tapName({ ...owner, scope: "cafebabe" }, 0),
  ];
  expect(new Set(names).size).toBe(3);
  expect(tapName(owner, 12).slice(0, 12)).toBe(tapName(owner, 0).slice(0, 12));
});

test("a TAP's number is read from its name, where the VM can have given it", () => {
  expect(nicIndex(owner, tapName(owner, 0))).toBe(0);
  expect(nicIndex(owner, tapName(owner, 42))).toBe(42);
  const name = tapName(owner, 1);
  for (const other of [
    tapName({ ...owner, vmId: "db" }, 1),
    "eth0",
    "",
    "-1",
    name.replace("-1", "-01"),
    name.replace("-1", "-"),
    name.replace("-1", "-1.5"),
    name.replace("-1", "-100"),
  ])
    expect(nicIndex(owner, other)).toBeUndefined();
});

test("alias and namespace carry the installation and the VM", () => {
  expect(tapAlias(owner, 3)).toBe("silk:0badcafe:web:3");
  expect(namespaceName(owner)).toBe("silk-0badcafe-web");
});
