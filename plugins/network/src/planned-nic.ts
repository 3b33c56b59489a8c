import type { Nic } from "@silkvm/core";
import { foreignNic } from "./errors.ts";
import { nicIndex, type Owner, tapAlias } from "./names.ts";

/** A NIC of ours, with what its name stands for. */
export interface PlannedNic {
  readonly nic: Nic;
  readonly index: number;
  /** Proof on the TAP that it is the VM's. */
  readonly alias: string;
}

/** The NICs with their numbers. @throws SilkError `NIC_FOREIGN` */
export function plannedNics(owner: Owner, nics: readonly Nic[]): readonly PlannedNic[] {
  return nics.map((nic) => {
    const index = nicIndex(owner, nic.tap);
    if (index === undefined) throw foreignNic(nic.tap);
    return { nic, index, alias: tapAlias(owner, index) };
  });
}

/** Those of the NICs that can be ours: the rest were never made. */
export function ownNics(owner: Owner, nics: readonly Nic[]): readonly PlannedNic[] {
  return plannedNics(
    owner,
    nics.filter(({ tap }) => nicIndex(owner, tap) !== undefined),
  );
}
