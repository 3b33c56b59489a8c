import type { Nic, NetworkContext, OperationContext, VmRecord } from "@silkvm/core";
import { runBatch } from "../ip/run-batch.ts";
import { removeTaps } from "../ip/remove-taps.ts";
import { isInUse, isMultiQueue, tapLines } from "../ip/tap.ts";
import { ownNics, type PlannedNic, plannedNics } from "../planned-nic.ts";
import { undoing } from "../undoing.ts";
import { bridgeName, findBridge } from "./find-bridge.ts";

/** Makes the TAPs of NICs, and ports of the bridge of them: one look and one change, whatever their number. */
export async function attachToBridge(
  { host, scope }: NetworkContext,
  vm: VmRecord,
  nics: readonly Nic[],
  context: OperationContext,
): Promise<readonly Nic[]> {
  const planned = plannedNics({ scope, vmId: vm.id }, nics);
  if (planned.length === 0) return nics;
  const name = bridgeName({ bridge: nics[0]?.bridge ?? vm.config.bridge });
  const { signal } = context;
  return await undoing(
    context,
    async () => {
      const taps = nics.map(({ tap }) => tap);
      const { bridge, links } = await findBridge(host, name, taps, { signal });
      const lines = planned.flatMap(({ nic, alias }) =>
        tapLines(
          {
            name: nic.tap,
            alias,
            multiQueue: isMultiQueue(nic),
            mtu: bridge.mtu,
            master: bridge.ifname,
          },
          links.get(nic.tap),
        ),
      );
      await runBatch(host, { program: "ip", lines, signal });
      return nics;
    },
    () => removeTaps(host, planned.map(toTap), { spare: isInUse }),
  );
}

/** Removes the TAPs of NICs, and with them the ports. */
export async function detachFromBridge(
  { host, scope }: NetworkContext,
  vm: Pick<VmRecord, "id">,
  nics: readonly Nic[],
  { signal }: OperationContext,
): Promise<void> {
  const own = ownNics({ scope, vmId: vm.id }, nics);
  await removeTaps(host, own.map(toTap), { signal });
}

function toTap({ nic, alias }: PlannedNic): { readonly name: string; readonly alias: string } {
  return { name: nic.tap, alias };
}
