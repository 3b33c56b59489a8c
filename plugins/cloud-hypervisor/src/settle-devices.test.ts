import type { Host } from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import { expect, it } from "vitest";
import { settleDevices } from "./settle-devices.ts";

/** A thread by its name and what it waits in. */
type Thread = readonly [name: string, waitsIn: string];

const idle: readonly Thread[] = [
  ["vmm", "do_epoll_wait"],
  ["vcpu0", "0"],
  ["http-server", "do_epoll_wait"],
  ["_disk0_q0", "do_epoll_wait"],
];

/** A VMM whose threads are other ones each time that they are looked at, up to the last. */
function hostOf(looks: readonly (readonly Thread[])[]): { host: Host; looked: () => number } {
  let looked = 0;
  let threads: readonly Thread[] = [];
  const real = linuxHost();
  const host: Host = {
    ...real,
    files: {
      ...real.files,
      list: async () => {
        threads = looks[Math.min(looked++, looks.length - 1)] ?? [];
        return threads.map((_, index) => String(index));
      },
      readText: async (path) => {
        const [, index, what] = /(\d+)\/(comm|wchan)$/.exec(path) ?? [];
        const [name, waitsIn] = threads[Number(index)] ?? ["", ""];
        return what === "comm" ? `${name}\n` : waitsIn;
      },
    },
  };
  return { host, looked: () => looked };
}

const vmm = { bootId: "b", pid: 1, startTime: 1 };

it("a VMM whose devices wait for the guest is settled when it has been seen so twice", async () => {
  const { host, looked } = hostOf([idle]);
  await settleDevices(host, vmm);
  expect(looked()).toBe(2);
});

it.each<[string, Thread]>([
  ["that sleeps on though it was resumed", ["_disk0_q0", "futex_do_wait"]],
  ["that has just been made, and still has its maker's name", ["vmm", "0"]],
])("a device's thread %s is waited for", async (_what, thread) => {
  const { host, looked } = hostOf([idle, [...idle, thread], [...idle, thread], idle]);
  await settleDevices(host, vmm);
  expect(looked()).toBe(5);
});

it("a device that is busy is not waited for for long", async () => {
  const { host } = hostOf([[["_disk0_q0", "0"]]]);
  await settleDevices(host, vmm);
});
