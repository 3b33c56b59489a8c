import type { Config } from "@oclif/core/config";
import {
  createEngine,
  type Engine,
  type EngineOptions,
  type SilkError,
  toSilkError,
} from "@silkvm/core";
import { linuxHost } from "@silkvm/sys";
import type { GlobalFlags } from "../flags/global.ts";
import { stderrLogger } from "../output/logger.ts";
import { checksFor } from "./check-list.ts";
import type { Patient } from "./context.ts";
import { findPlugins } from "./find-plugins.ts";
import { findSettings } from "./find-settings.ts";
import type { Finding } from "./finding.ts";
import { orAfter } from "./or-after.ts";
import { repairAll } from "./repair.ts";
import { runChecks } from "./run-checks.ts";

const closeMs = 1_000;

interface ExamineOptions {
  readonly flags: GlobalFlags;
  readonly oclif: Config;
  readonly fix: boolean;
  readonly signal: AbortSignal;
}

/** Checks this host, with whatever of silk itself still works, and mends what it may. */
export async function examine({
  flags,
  oclif,
  fix,
  signal,
}: ExamineOptions): Promise<readonly Finding[]> {
  const host = linuxHost();
  const settings = await findSettings(flags, host, process.env);
  const { config } = settings;
  const { plugins, failed } = await findPlugins(oclif, config, host.files);
  const opened = await open({ host, plugins, config, logger: stderrLogger(config.logLevel) });
  const { engine, engineProblem } = opened;
  const patient: Patient = {
    ...settings,
    host,
    env: process.env,
    nodeVersion: process.versions.node,
    plugins: { loaded: plugins.map(({ name }) => name), failed },
    engine,
    engineProblem,
  };
  const checks = checksFor(engine?.backends ?? []);
  try {
    const findings = await runChecks(checks, patient, { signal });
    return fix ? await repairAll(checks, findings, patient, { signal }) : findings;
  } finally {
    // A backend that never answered a check does not close either.
    await orAfter(engine?.[Symbol.asyncDispose](), closeMs, host.clock);
  }
}

async function open(
  options: EngineOptions,
): Promise<{ readonly engine?: Engine; readonly engineProblem?: SilkError }> {
  try {
    return { engine: await createEngine(options) };
  } catch (error) {
    return { engineProblem: toSilkError(error) };
  }
}
