import { main } from "silk:dist/main";
import { packageRoot } from "./root.ts";
import { installStandardOutput } from "./standard-output.ts";

/** Runs a command to its end. */
export function run(argv: readonly string[]): void {
  installStandardOutput();
  void main(argv, packageRoot);
}
