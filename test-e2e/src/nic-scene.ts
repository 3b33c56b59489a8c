import type { Engine, VmSpec } from "@silkvm/core";
import { expect } from "vitest";
import { bridgeName, cniName, type NetSandbox } from "./net-sandbox.ts";
import type { Target } from "./targets.ts";

/** A small VM with NICs on the sandbox's bridge, or in its CNI network. */
export async function specWithNics(
  target: Target,
  nics: number,
  on: "bridge" | "cni" = "bridge",
): Promise<VmSpec> {
  const network = on === "bridge" ? { bridge: bridgeName } : { network: cniName };
  return { ...(await target.spec()), ...network, nics };
}

/** What of Cloud Hypervisor's `vm.info` tells of NICs. */
interface Info {
  readonly config: {
    readonly net?: readonly { readonly id: string; readonly tap: string; readonly mac: string }[];
  };
  readonly device_tree: Readonly<Record<string, unknown>>;
}

/**
 * The record, the VMM and the host's TAPs agree on the NICs of the one VM that runs here, also on those that its guest was asked to let go of.
 * @returns how many there are besides those
 */
export async function expectAgreement(
  engine: Engine,
  sandbox: NetSandbox,
  name: string,
  place = "",
): Promise<number> {
  const { nics, leavingNics, observed } = await engine.inspect(name);
  const leaving = leavingNics ?? [];
  // The guest may have let go of it since.
  const mayBe = new Set(leaving.map(({ deviceId }) => deviceId));
  const { config, device_tree: tree } = observed.raw as Partial<Info>;
  if (tree === undefined) {
    const devices = (observed.devices ?? []).filter(
      ({ kind, id }) => kind === "nic" && !mayBe.has(id),
    );
    expect(devices, `${place}: the VMM's NICs`).toHaveLength(nics.length);
  } else {
    const net = config?.net ?? [];
    const inRecord = nics.map(({ tap, mac }) => [tap, mac]);
    expect(
      net.map(({ tap, mac }) => [tap, mac]),
      `${place}: the VMM's NICs`,
    ).toEqual(inRecord);
    const nodes = Object.keys(tree).filter(
      (id) => /^(?:_net\d|silk-net-)/.test(id) && !mayBe.has(id),
    );
    expect(nodes.sort(), `${place}: the VMM's devices`).toEqual(net.map(({ id }) => id).sort());
  }
  const taps = [...nics, ...leaving.map(({ nic }) => nic)].map(({ tap }) => tap).sort();
  expect(sandbox.taps(), `${place}: the host's TAPs`).toEqual(taps);
  const listed = await engine.nics.list(name);
  expect(
    listed.map(({ state }) => state),
    place,
  ).toEqual([...nics.map(() => "attached"), ...leaving.map(() => "leaving")]);
  return nics.length;
}
