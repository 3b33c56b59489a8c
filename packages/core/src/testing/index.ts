export { type Effect, type EffectGate, failNth, killNth, withGate } from "./gated-host.ts";
export { releasing } from "./releasing-host.ts";
