import { expect, test } from "vitest";
import { addressOf } from "./result.ts";

test("the address is the first IPv4 one of the guest's interface", () => {
  const interfaces = [
    { name: "cni0" },
    { name: "veth1" },
    { name: "eth0", sandbox: "/var/run/netns/x" },
  ];
  expect(
    addressOf(
      {
        interfaces,
        ips: [
          { address: "10.0.0.9/8", interface: 0 },
          { address: "fd00::2/64", gateway: "fd00::1", interface: 2 },
          { address: "10.1.0.2/16", gateway: "10.1.0.1", interface: 2 },
        ],
      },
      "eth0",
    ),
  ).toEqual({ ip: "10.1.0.2", prefix: 16, gateway: "10.1.0.1" });
});

test("a gateway can come from the default route, and can be missing", () => {
  const ips = [{ address: "10.1.0.2/16" }];
  const routes = [
    { dst: "10.9.0.0/16", gw: "10.1.0.9" },
    { dst: "0.0.0.0/0", gw: "10.1.0.1" },
  ];
  expect(addressOf({ ips, routes }, "eth0")?.gateway).toBe("10.1.0.1");
  expect(addressOf({ ips }, "eth0")).toEqual({ ip: "10.1.0.2", prefix: 16, gateway: "" });
});

test("without an IPv4 address there is none", () => {
  expect(addressOf({}, "eth0")).toBeUndefined();
  expect(addressOf({ ips: [] }, "eth0")).toBeUndefined();
  expect(addressOf({ ips: [{ address: "fd00::2/64" }] }, "eth0")).toBeUndefined();
});
