import { parseJson } from "@silkvm/ch-client";
import { expect, it } from "vitest";
import { hugeNumber, snapshotDocuments, snapshotTexts } from "../test/snapshot-texts.ts";
import { type Placement, place } from "./snapshot-config.ts";
import { formatDocuments } from "./snapshot-documents.ts";

const placement: Placement = {
  diskPaths: ["/vms/clone/cow.raw"],
  taps: ["silk0123456789a"],
  boot: { kind: "direct", kernelPath: "/own/k", initrdPath: "/own/i", cmdline: "own" },
  cmdline: "own",
  consoleSocketPath: "/run/clone/console.sock",
};

it("a snapshot that is placed names nothing of the host that its source used", () => {
  const { config, state } = formatDocuments(place(snapshotDocuments(), placement));
  for (const text of [config, state])
    for (const foreign of ["/vms/source", '"/k"', '"/i"', "tap0", "/dev/pts", "72:5c:8e"])
      expect(text).not.toContain(foreign);
  expect(JSON.parse(config)).toMatchObject({
    payload: { kernel: "/own/k", cmdline: "own", initramfs: "/own/i" },
    disks: [{ id: "_disk0", path: "/vms/clone/cow.raw", serial: "cocoon-cow" }],
    net: [{ id: "_net1", tap: "silk0123456789a", mac: "02:11:22:33:44:55" }],
    console: { mode: "Pty" },
  });
  expect(state).toContain("/vms/clone/cow.raw");
});

it("a guest under firmware gets its own serial socket", () => {
  const documents = snapshotDocuments({
    config: {
      payload: { firmware: "/fw" },
      serial: { mode: "Socket", socket: "/run/source/console.sock" },
      console: { mode: "Off" },
    },
  });
  const { config } = place(documents, {
    ...placement,
    boot: { kind: "firmware", firmwarePath: "/own/fw" },
    cmdline: undefined,
  });
  expect(config["serial"]).toEqual({ mode: "Socket", socket: "/run/clone/console.sock" });
  expect(config["payload"]).toEqual({ firmware: "/own/fw" });
});

it("numbers beyond 2^53, fields that silk does not know and the order of keys survive", () => {
  const odd = parseJson(`{"size":1,"weight":1.50,"later":${hugeNumber}}`, { exact: true });
  const shape = { config: { balloon: odd } };
  const before = snapshotTexts(shape);
  const { config, state } = formatDocuments(place(snapshotDocuments(shape), placement));
  expect(config).toContain(`"weight":1.50,"later":${hugeNumber}`);
  expect(state.split(hugeNumber)).toHaveLength(before.state.split(hugeNumber).length);
  expect(state.replaceAll("/vms/clone/", "/vms/source/")).toBe(before.state);
  expect(Object.keys(JSON.parse(config) as object)).toEqual(
    Object.keys(JSON.parse(before.config) as object),
  );
});
