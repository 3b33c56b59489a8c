import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NetworkDefinition, VmRecord } from "@silkvm/core";
import { type EffectGate, failNth, withGate } from "@silkvm/core/testing";
import { describe, expect, test } from "vitest";
import { bridge } from "../src/index.ts";
import { bridgePlugin, cniOf, makeCniBridge, writeConflist } from "./cni-files.ts";
import { cniPlugins, networkMissing, realPath, Sandbox, vmRecord } from "./sandbox.ts";

interface Bed {
  readonly name: string;
  readonly missing: boolean;
  readonly nics: number;
  readonly vm: VmRecord;
  readonly prepare: (sandbox: Sandbox) => NetworkDefinition;
}

const onBridge: Bed = {
  name: "a bridge",
  missing: networkMissing !== undefined,
  nics: 2,
  vm: vmRecord("web", { bridge: "br0" }),
  prepare: (sandbox) => {
    sandbox.ip("link", "add", "br0", "type", "bridge");
    return bridge;
  },
};

const onCni: Bed = {
  name: "CNI",
  missing: networkMissing !== undefined || cniPlugins === undefined,
  nics: 1,
  vm: vmRecord("web", { network: "lab" }),
  prepare: (sandbox) => {
    makeCniBridge(sandbox);
    writeConflist(sandbox, "lab", [bridgePlugin(sandbox), { type: "portmap" }]);
    return cniOf(sandbox);
  },
};

/** Runs a step with a gate that goes off at the n-th effect, for each n until it does not go off any more. */
async function forEachEffect(
  gateOf: (nth: number) => EffectGate,
  step: (gate: EffectGate, nth: number) => Promise<void>,
): Promise<number> {
  for (let nth = 1; ; nth++) {
    let went = 0;
    const gate = gateOf(nth);
    const counting: EffectGate = (effect) => {
      went = effect.number;
      return gate(effect);
    };
    await step(counting, nth);
    if (went < nth) return nth - 1;
  }
}

/** As if the process were killed: nothing that comes after can be done, the cleaning up neither. */
function stopNth(nth: number): EffectGate {
  return ({ number }) => {
    if (number >= nth) throw Object.assign(new Error("stopped here"), { code: "EIO" });
    return undefined;
  };
}

for (const { name, missing, nics: count, vm, prepare } of [onBridge, onCni])
  describe.skipIf(missing)(`on ${name}`, () => {
    test.each(["EIO", "ETIMEDOUT"] as const)(
      "an attach of which any effect fails with %s leaves nothing, and the next one works",
      async (code) => {
        using sandbox = new Sandbox();
        const definition = prepare(sandbox);
        await using sound = await definition.open(sandbox.context);
        const nics = await sound.plan(vm, count, [], sandbox.operation);
        const before = sandbox.state();
        const effects = await forEachEffect(
          (nth) => failNth(nth, code),
          async (gate, nth) => {
            await using network = await definition.open(
              sandbox.contextOf(withGate(sandbox.host, gate)),
            );
            const failed = await network.attach(vm, nics, sandbox.operation).then(
              () => false,
              () => true,
            );
            if (failed) expect(sandbox.state(), `effect ${nth}`).toEqual(before);
            await sound.attach(vm, nics, sandbox.operation);
            await sound.detach(vm, nics, sandbox.operation);
            expect(sandbox.state(), `effect ${nth}`).toEqual(before);
          },
        );
        expect(effects).toBeGreaterThanOrEqual(2);
      },
      120_000,
    );

    test("an attach that is stopped at any effect is made whole by the next one, or removed", async () => {
      using sandbox = new Sandbox();
      const definition = prepare(sandbox);
      await using sound = await definition.open(sandbox.context);
      const nics = await sound.plan(vm, count, [], sandbox.operation);
      const before = sandbox.state();
      await forEachEffect(stopNth, async (gate, nth) => {
        const stopped = await definition.open(sandbox.contextOf(withGate(sandbox.host, gate)));
        await stopped.attach(vm, nics, sandbox.operation).catch(() => {});
        if (nth % 2 === 0) await sound.attach(vm, nics, sandbox.operation);
        await sound.detach(vm, nics, sandbox.operation);
        expect(sandbox.state(), `effect ${nth}`).toEqual(before);
      });
    }, 120_000);

    test("a detach of which any effect fails is finished by the next one", async () => {
      using sandbox = new Sandbox();
      const definition = prepare(sandbox);
      await using sound = await definition.open(sandbox.context);
      const nics = await sound.plan(vm, count, [], sandbox.operation);
      const before = sandbox.state();
      await forEachEffect(
        (nth) => failNth(nth, "EIO"),
        async (gate, nth) => {
          await sound.attach(vm, nics, sandbox.operation);
          await using network = await definition.open(
            sandbox.contextOf(withGate(sandbox.host, gate)),
          );
          await network.detach(vm, nics, sandbox.operation).catch(() => {});
          await sound.detach(vm, nics, sandbox.operation);
          expect(sandbox.state(), `effect ${nth}`).toEqual(before);
        },
      );
    }, 120_000);

    test("an attach of which `ip` or `tc` fails at any line leaves nothing", async () => {
      using sandbox = new Sandbox();
      const definition = prepare(sandbox);
      await using network = await definition.open(sandbox.context);
      const nics = await network.plan(vm, count, [], sandbox.operation);
      const before = sandbox.state();
      using programs = failingPrograms(sandbox);
      let failures = 0;
      for (let call = 1, line = 0; ;) {
        programs.failAt(call, line);
        const error: unknown = await network.attach(vm, nics, sandbox.operation).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error === undefined) {
          // All lines of the call have had their turn.
          const calls = programs.calls();
          programs.failAt(0, 0);
          await network.detach(vm, nics, sandbox.operation);
          expect(sandbox.state(), `call ${call}, line ${line}`).toEqual(before);
          if (calls < call) break;
          call += 1;
          line = 0;
          continue;
        }
        failures += 1;
        expect(error, `call ${call}, line ${line}`).toMatchObject({ code: "IP_FAILED" });
        expect(sandbox.state(), `call ${call}, line ${line}`).toEqual(before);
        line += 1;
      }
      expect(failures).toBeGreaterThanOrEqual(7);
    }, 120_000);

    test("a detach of which `ip` fails at any line is finished by the next one", async () => {
      using sandbox = new Sandbox();
      const definition = prepare(sandbox);
      await using network = await definition.open(sandbox.context);
      const nics = await network.plan(vm, count, [], sandbox.operation);
      const before = sandbox.state();
      using programs = failingPrograms(sandbox);
      let failures = 0;
      for (let call = 1, line = 0; ;) {
        programs.failAt(0, 0);
        await network.attach(vm, nics, sandbox.operation);
        programs.failAt(call, line);
        await network.detach(vm, nics, sandbox.operation).catch(() => {});
        const calls = programs.calls();
        const failed = programs.hasFailed();
        programs.failAt(0, 0);
        await network.detach(vm, nics, sandbox.operation);
        expect(sandbox.state(), `call ${call}, line ${line}`).toEqual(before);
        if (calls < call) break;
        if (failed) failures += 1;
        [call, line] = failed ? [call, line + 1] : [call + 1, 0];
      }
      expect(failures).toBeGreaterThanOrEqual(4);
    }, 120_000);
  });

/** `ip` and `tc` before the real ones on PATH, which fail at one line of one call. */
function failingPrograms(sandbox: Sandbox): Disposable & {
  failAt(call: number, line: number): void;
  /** Calls since then. */
  calls(): number;
  hasFailed(): boolean;
} {
  const directory = join(sandbox.directory, "bin");
  mkdirSync(directory);
  const file = (name: string): string => join(directory, name);
  for (const program of ["ip", "tc"]) {
    writeFileSync(
      file(program),
      `#!/bin/sh
cd ${directory}
count=$(($(cat count) + 1)); echo $count > count
read call line < fail
[ $count = $call ] || exec ${realPath(program)} "$@"
case "$*" in
  *-batch*)
    cat > lines
    [ $(wc -l < lines) -gt $line ] || exec ${realPath(program)} "$@" < lines
    touch failed
    head -n $line lines | ${realPath(program)} "$@"
    printf 'RTNETLINK answers: Invalid argument\\nCommand failed -:%s\\n' $((line + 1)) >&2 ;;
  *)
    [ $line = 0 ] || exec ${realPath(program)} "$@"
    touch failed
    echo 'RTNETLINK answers: Invalid argument' >&2 ;;
esac
exit 1
`,
    );
    chmodSync(file(program), 0o755);
  }
  const path = process.env["PATH"];
  process.env["PATH"] = `${directory}:${path}`;
  return {
    failAt: (call, line) => {
      writeFileSync(file("count"), "0\n");
      rmSync(file("failed"), { force: true });
      writeFileSync(file("fail"), `${call} ${line}\n`);
    },
    hasFailed: () => existsSync(file("failed")),
    calls: () => Number(readFileSync(file("count"), "utf8")),
    [Symbol.dispose]: () => {
      process.env["PATH"] = path;
    },
  };
}
