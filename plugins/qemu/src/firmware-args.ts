import { optionValue } from "./option-value.ts";

/**
 * A firmware is flash that is only read, and its variables are in a second one, of the VM's own. Without that UEFI keeps them in memory, and a guest boots by
 * what it finds on its disks. A build without a store of variables in it (`OVMF_CODE*.fd`) fits; so does a whole one.
 */
export function firmwareArgs(path: string, varsPath: string | undefined): readonly string[] {
  return [
    ...flash(0, `readonly=on,file=${optionValue(path)}`),
    ...(varsPath === undefined ? [] : flash(1, `file=${optionValue(varsPath)}`)),
  ];
}

function flash(unit: number, file: string): readonly string[] {
  return ["-drive", `if=pflash,unit=${unit},format=raw,${file}`];
}
