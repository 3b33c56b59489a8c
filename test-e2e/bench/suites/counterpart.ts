import { join } from "node:path";
import { linuxHost } from "@silkvm/sys";
import { cleanEnvironment, timeProgram, timeSilk } from "../program.ts";
import type { Suite } from "../suite.ts";

/** The counterpart in Go, where it is installed. */
export const counterpart: Suite = {
  name: "counterpart",
  description: "`silk vm list` against `cocoon vm list`",
  async *comparisons({ dir, note }) {
    const cocoon = await linuxHost().processes.which("cocoon");
    if (cocoon === undefined) {
      note("there is no `cocoon` on PATH");
      return;
    }
    const env = {
      ...cleanEnvironment(dir),
      COCOON_ROOT_DIR: join(dir, "cocoon/root"),
      COCOON_RUN_DIR: join(dir, "cocoon/run"),
      COCOON_LOG_DIR: join(dir, "cocoon/log"),
    };
    yield {
      title: "silk against cocoon, no VMs",
      runs: 21,
      peer: { name: "cocoon vm list", run: () => timeProgram(cocoon, ["vm", "list"], { env }) },
      cases: [{ name: "silk vm list", run: () => timeSilk(["vm", "list"], { env }) }],
    };
  },
};
