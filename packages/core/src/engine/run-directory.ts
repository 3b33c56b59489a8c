import { SilkError } from "../errors.ts";
import type { EngineCore } from "./core.ts";

/**
 * Makes a VM's run directory, for its owner alone. Whoever can open the socket in it has the VMM in hand; and the run directory of a user
 * without a login session is a name in /tmp that anybody could have taken first.
 * @throws SilkError `PERMISSION_DENIED`
 */
export async function makeRunDirectory(
  core: EngineCore,
  vm: { readonly id: string },
): Promise<void> {
  const { files, facts } = core.host;
  await files.mkdir(core.runScopeDir, { mode: 0o700 });
  for (const directory of [core.config.runDir, core.runScopeDir]) {
    const found = await files.stat(directory);
    if (found === undefined || found.uid === facts.uid || found.uid === 0) continue;
    throw new SilkError(
      `the run directory ${directory} belongs to another user (uid ${found.uid})`,
      {
        code: "PERMISSION_DENIED",
        kind: "denied",
        hint: "Name another directory with --run-dir.",
        details: { path: directory, uid: found.uid },
      },
    );
  }
  await files.mkdir(core.paths(vm).runDir, { mode: 0o700 });
}
