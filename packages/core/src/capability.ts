import { SilkError } from "./errors.ts";

declare const capabilityType: unique symbol;

/**
 * The typed name of something that only some backends can do. The package that owns a capability exports its token;
 * a backend hands over its implementation for it, or does not.
 */
export interface CapabilityToken<T> {
  /** Stable, lower case, such as `vfio`. Two tokens of one id are the same capability. */
  readonly id: string;
  /** What it lets a user do, as the end of the sentence «this backend cannot …». */
  readonly does: string;
  readonly [capabilityType]?: T;
}

/** Makes the token of a capability. Two tokens of one id are the same one, also in two copies of a package. @param does what a backend does that has it, for messages */
export function defineCapability<T>(id: string, does: string): CapabilityToken<T> {
  return { id, does };
}

/** Pairs a token with a backend's implementation of it. */
export interface ProvidedCapability {
  readonly id: string;
  readonly implementation: unknown;
}

/** A backend's implementation of a capability, for its list of them. */
export function provide<T>(token: CapabilityToken<T>, implementation: T): ProvidedCapability {
  return { id: token.id, implementation };
}

/** The implementation behind a token among those that a backend provides. */
export function findCapability<T>(
  provided: readonly ProvidedCapability[],
  token: CapabilityToken<T>,
): T | undefined {
  return provided.find(({ id }) => id === token.id)?.implementation as T | undefined;
}

/** The error for a backend that lacks a capability. */
export function missingCapability(backend: string, token: CapabilityToken<unknown>): SilkError {
  return new SilkError(`the backend "${backend}" cannot ${token.does}`, {
    code: "CAPABILITY_MISSING",
    kind: "unsupported",
    hint: "`silk doctor` shows what each backend can do.",
    details: { backend, capability: token.id },
  });
}
