import { automaticBackend } from "@silkvm/core";
import type { BackendChoice, Engine, EngineConfig, Host, SilkError, VmmProbe } from "@silkvm/core";
import type { Distribution } from "./distribution.ts";

/** What the doctor looks at, apart from what the host itself answers. */
export interface Patient {
  readonly host: Host;
  /** The settings; the defaults and the flags where they cannot be read. */
  readonly config: EngineConfig;
  /** The configuration file that was read, or would have been. */
  readonly configPath: string;
  /** Why the settings cannot be read. */
  readonly configProblem?: SilkError | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Version of the Node that runs this, without the leading `v`. */
  readonly nodeVersion: string;
  readonly plugins: {
    readonly loaded: readonly string[];
    readonly failed: readonly { readonly name: string; readonly error: SilkError }[];
  };
  /** Left out where there is none, for the reason below. */
  readonly engine?: Engine | undefined;
  /** Why the plugins do not make an engine together. */
  readonly engineProblem?: SilkError | undefined;
}

/** What every check is called with. */
export interface CheckContext extends Patient {
  readonly distribution: Distribution;
  /** Aborted when the user gives up, or when the check took longer than it may. */
  readonly signal: AbortSignal;
  /** The backend of VMs that name none; undefined where there is no engine to ask. */
  readonly choice?: BackendChoice | undefined;
  /** What a backend found of its VMM; asked once for all checks. */
  readonly probe: (backend: string) => Promise<VmmProbe>;
  /** Whether a directory's file system answers: a network file system may have lost its server. */
  readonly responds: (directory: string) => Promise<boolean>;
}

/** Name of the backend that VMs get which name none. */
export function defaultBackend({
  config,
  choice,
}: Pick<CheckContext, "config" | "choice">): string {
  if (config.backend !== automaticBackend) return config.backend;
  return choice?.name ?? firstBackend;
}

/** What silk is made for: comes first where nothing else is known. */
const firstBackend = "cloud-hypervisor";
