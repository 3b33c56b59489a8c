import { ChApiError, ChConnectionError } from "./errors.ts";

/** There is no VM in this VMM: `vm.create` or `vm.restore` comes first. */
export function isNotCreated(error: unknown): boolean {
  return has(error, /^VM is not created$/) || has(error, /^VM config is missing$/);
}

/** The VM is created but not booted. The API says the same where there is no VM at all. */
export function isNotRunning(error: unknown): boolean {
  return has(error, /^VM is not running$/);
}

/** This VMM has its VM already. */
export function isAlreadyCreated(error: unknown): boolean {
  return has(error, /^VM is already created$/);
}

/** The VM is in a state that the call cannot start from, as when what is paused is paused again. */
export function isInvalidStateTransition(error: unknown): boolean {
  return invalidStateTransition(error) !== undefined;
}

/** The states of {@link isInvalidStateTransition}: where the VM is, and where it was to go. */
export function invalidStateTransition(
  error: unknown,
): { readonly from: string; readonly to: string } | undefined {
  const groups = find(error, /InvalidStateTransition\((?<from>\w+), (?<to>\w+)\)/)?.groups;
  return groups?.["from"] === undefined || groups["to"] === undefined
    ? undefined
    : { from: groups["from"], to: groups["to"] };
}

/** No device has this id. A device that is being removed counts as gone here, while its id is still taken. */
export function isDeviceNotFound(error: unknown): boolean {
  return has(error, /^Failed to find device corresponding to the given identifier: /);
}

/** A device has this id already, or one that the guest has not let go of yet. */
export function isIdNotUnique(error: unknown): boolean {
  return (
    has(error, /^Invalid identifier as it is not unique: /) ||
    has(error, /^Identifier .* is not unique$/s)
  );
}

/** This kind of device cannot be removed from a VM. */
export function isDeviceNotRemovable(error: unknown): boolean {
  return has(error, /^Not allowed to remove this type of device from the VM: /);
}

/** The guest has not yet given up the vCPUs that an earlier resize took from it (status 429). */
export function isPendingResize(error: unknown): boolean {
  return ChApiError.is(error) && error.status === 429;
}

/** Another VMM has the disk image open. */
export function isDiskLocked(error: unknown): boolean {
  return lockedDisk(error) !== undefined;
}

/** The image of {@link isDiskLocked}, as the VM's configuration names it. */
export function lockedDisk(error: unknown): string | undefined {
  if (!has(error, /^The file is already locked$/)) return undefined;
  return find(error, /^Failed to get \w+ lock for disk image: (?<path>.+)$/s)?.groups?.["path"];
}

/** The VM is still reading its memory from the snapshot that it was restored from on demand. */
export function isOnDemandRestoreInProgress(error: unknown): boolean {
  return has(error, /^VM on-demand memory restore is still in progress$/);
}

/** The device needs a VM whose memory is shared. */
export function isSharedMemoryRequired(error: unknown): boolean {
  return has(error, /^Using vhost-user requires using shared memory or huge pages$/);
}

/** The VMM does not know the path: another version, or one built without this call. */
export function isUnknownCall(error: unknown): boolean {
  return (
    ChApiError.is(error) &&
    error.status === 404 &&
    error.chain.length === 1 &&
    error.chain[0] === "Not Found"
  );
}

/** The VMM has ten connections already (status 503). */
export function isServerFull(error: unknown): boolean {
  return ChApiError.is(error) && error.status === 503;
}

/**
 * The VMM is ending or has ended: the connection closed before the answer, nobody listens any more, or the API said that its
 * other half is gone. Whoever wanted it to end can count this as success once the process is seen to be dead.
 */
export function isVmmEnding(error: unknown): boolean {
  if (ChConnectionError.is(error))
    return error.reason === "closed" || error.reason === "refused" || error.reason === "missing";
  return has(error, /^(?:sending|receiving) on a closed channel$/);
}

/** The errno of the operating system's error that the chain ends in: 2 is ENOENT, 13 EACCES, 16 EBUSY, 17 EEXIST, 98 EADDRINUSE. */
export function osErrorOf(error: unknown): number | undefined {
  if (!ChApiError.is(error)) return undefined;
  const errno = /\(os error (?<errno>\d+)\)/.exec(error.chain.at(-1) ?? "")?.groups?.["errno"];
  return errno === undefined ? undefined : Number(errno);
}

function has(error: unknown, pattern: RegExp): boolean {
  return find(error, pattern) !== undefined;
}

function find(error: unknown, pattern: RegExp): RegExpExecArray | undefined {
  if (!ChApiError.is(error)) return undefined;
  for (const message of error.chain) {
    const match = pattern.exec(message);
    if (match !== null) return match;
  }
  return undefined;
}
