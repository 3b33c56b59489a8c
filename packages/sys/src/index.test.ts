import { expect, test } from "vitest";
import { startScript } from "../test/script.ts";

test("importing the package loads no native code; the first call that needs it does", async () => {
  await using script = startScript(`
    import { openSync, readFileSync } from "node:fs";
    const isLoaded = () => readFileSync("/proc/self/maps", "utf8").includes("koffi");
    const before = isLoaded();
    sys.nextData(openSync(process.execPath, "r"), 0);
    console.log(JSON.stringify([before, isLoaded()]));`);
  expect(await script.line()).toBe("[false,true]");
});
