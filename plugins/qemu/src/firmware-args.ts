import { optionValue } from "./option-value.ts";

/**
 * A firmware is flash that is only read: UEFI then keeps its variables in memory, and a guest boots by what it finds on its disks. A build without a store of
 * variables in it (`OVMF_CODE*.fd`) fits; so does a whole one.
 */
export function firmwareArgs(path: string): readonly string[] {
  return ["-drive", `if=pflash,unit=0,format=raw,readonly=on,file=${optionValue(path)}`];
}
