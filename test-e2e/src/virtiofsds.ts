import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { virtiofsdPlaces } from "@silkvm/virtiofs";

/** A kind of virtiofsd, and where there is one. */
export interface Virtiofsd {
  readonly name: string;
  /** Undefined where there is none of this kind; its tests are skipped then, and counted. */
  readonly path: string | undefined;
}

/** Those of SILK_TEST_VIRTIOFSD (a list like PATH), of PATH and of where distributions put them: the first of each kind. Its shares need root. */
export function findVirtiofsds(): readonly Virtiofsd[] {
  const named = (process.env["SILK_TEST_VIRTIOFSD"] ?? "").split(delimiter);
  const onPath = (process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, "virtiofsd"));
  const found = [...named, ...onPath, ...virtiofsdPlaces].flatMap((path) => {
    const said = path === "" ? undefined : version(path);
    return said === undefined ? [] : [{ path, isQemus: said.startsWith("virtiofsd version") }];
  });
  const isRoot = process.getuid?.() === 0;
  const first = (isQemus: boolean): string | undefined =>
    isRoot ? found.find((one) => one.isQemus === isQemus)?.path : undefined;
  return [
    { name: "virtiofsd", path: first(false) },
    { name: "QEMU's virtiofsd", path: first(true) },
  ];
}

function version(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    const said = execFileSync(path, ["--version"], { encoding: "utf8", stdio: "pipe" });
    return said.startsWith("virtiofsd ") ? said : undefined;
  } catch {
    return undefined;
  }
}
