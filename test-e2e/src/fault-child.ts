// Runs one verb of the engine, and is killed at the n-th effect. Told by one JSON argument.
import { writeSync } from "node:fs";
import cloudHypervisorPlugin from "@silkvm/cloud-hypervisor";
import networkPlugin from "@silkvm/network";
import { createEngine, type PluginDefinition, toSilkError } from "@silkvm/core";
import { killNth, withGate } from "@silkvm/core/testing";
import qemuPlugin from "@silkvm/qemu";
import { linuxHost } from "@silkvm/sys";
import type { FaultReport, KillRequest } from "./fault-run.ts";
import { runVerb } from "./fault-verbs.ts";

const request = JSON.parse(process.argv[2] as string) as KillRequest;
const effects: string[] = [];
const kill = killNth(request.nth);
const host = withGate(linuxHost(), (effect) => {
  effects.push(effect.name);
  return kill(effect);
});

/** Loaded for VMs of images alone: this program is started many times. */
async function imagePlugins(): Promise<readonly PluginDefinition[]> {
  return request.spec.image === undefined ? [] : [(await import("@silkvm/images")).default];
}

const report = (outcome: FaultReport): void => void writeSync(1, JSON.stringify(outcome));
try {
  await using engine = await createEngine({
    host,
    plugins: [cloudHypervisorPlugin, qemuPlugin, networkPlugin, ...(await imagePlugins())],
    config: request.config,
    cwd: request.config.rootDir,
  });
  await runVerb(engine, request.verb, request.spec);
  report({ ok: true, effects });
} catch (error) {
  report({ ok: false, effects, error: toSilkError(error).toJSON() });
}
