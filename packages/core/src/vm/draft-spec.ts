import { SilkError } from "../errors.ts";
import type { RunSpec } from "../image/vm-image.ts";
import type { VmConfig } from "./record.ts";
import type { BootSpec, ResolvedVmSpec, VmSpec } from "./spec.ts";

/** A spec that is checked as far as it can be before anything is known of its image. */
export interface DraftVmSpec extends Omit<ResolvedVmSpec, "config" | "boot" | "image"> {
  readonly config: Omit<VmConfig, "storageBytes">;
  /** Left out for the default. */
  readonly storageBytes: number | undefined;
  /** With absolute paths. */
  readonly boot: BootSpec | undefined;
  readonly image: WantedImage | undefined;
}

/** The image that a spec names, and how it is to be got and used. */
export interface WantedImage {
  readonly name: string;
  readonly pull: NonNullable<VmSpec["pull"]>;
  readonly run: RunSpec | undefined;
  readonly user: string | undefined;
  readonly kernel: string | undefined;
}

/** What does not hold together in a spec. */
export function invalidSpec(message: string, hint: string, code = "INVALID_SPEC"): SilkError {
  return new SilkError(message, { code, kind: "invalid", hint });
}
