// Runs one verb of the engine on a host that fails, or kills this process, at the n-th effect. Told by one JSON argument.
import { writeSync } from "node:fs";
import cloudHypervisorPlugin from "@silkvm/cloud-hypervisor";
import networkPlugin from "@silkvm/network";
import { createEngine, type PluginDefinition, toSilkError } from "@silkvm/core";
import { type EffectGate, failNth, killNth, withGate } from "@silkvm/core/testing";
import qemuPlugin from "@silkvm/qemu";
import { linuxHost } from "@silkvm/sys";
import type { FaultRequest, FaultReport } from "./fault-run.ts";
import { runVerb } from "./fault-verbs.ts";

const request = JSON.parse(process.argv[2] as string) as FaultRequest;
const effects: string[] = [];
const gates: Record<FaultRequest["fault"]["kind"], (nth: number) => EffectGate> = {
  none: () => () => undefined,
  kill: killNth,
  ENOSPC: (nth) => failNth(nth, "ENOSPC"),
  EIO: (nth) => failNth(nth, "EIO"),
  EACCES: (nth) => failNth(nth, "EACCES"),
  ETIMEDOUT: (nth) => failNth(nth, "ETIMEDOUT"),
};
const gate = gates[request.fault.kind](request.fault.nth);
const host = withGate(linuxHost(), (effect) => {
  effects.push(effect.name);
  return gate(effect);
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
