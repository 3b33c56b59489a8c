import { describe, expect, it } from "vitest";
import { errorAnswer, errorAnswers, type ErrorAnswer } from "../test/support/fixtures.ts";
import { errorChain } from "./error-body.ts";
import * as predicates from "./error-predicates.ts";
import {
  ChApiError,
  ChConnectionError,
  ChTimeoutError,
  type ChConnectionFailure,
} from "./errors.ts";

function toError({
  status,
  path,
  body,
}: Pick<ErrorAnswer, "status" | "path" | "body">): ChApiError {
  return new ChApiError(
    { method: "PUT", operation: path.replace("/api/v1/", "") },
    { status, chain: errorChain(body), body },
  );
}

const real = (path: string, part: string): ChApiError => toError(errorAnswer(path, part));

/** How many of the answers that were seen a predicate holds for: one that is too greedy shows here. */
function count(predicate: (error: unknown) => boolean): number {
  return errorAnswers.filter((answer) => predicate(toError(answer))).length;
}

describe("the predicates on errors", () => {
  it("know that there is no VM yet", () => {
    for (const call of [
      "vm.info",
      "vm.reboot",
      "vm.resize",
      "vm.add-disk",
      "vm.add-net",
      "vm.add-device",
      "vm.add-fs",
      "vm.remove-device",
    ]) {
      expect(predicates.isNotCreated(real(call, "VM is not created"))).toBe(true);
    }
    expect(predicates.isNotCreated(real("vm.boot", "VM config is missing"))).toBe(true);
    expect(count(predicates.isNotCreated)).toBe(9);
  });

  it("know that the VM does not run", () => {
    for (const call of [
      "vm.pause",
      "vm.resume",
      "vm.shutdown",
      "vm.power-button",
      "vm.nmi",
      "vm.snapshot",
      "vm.counters",
    ]) {
      expect(predicates.isNotRunning(real(call, "VM is not running"))).toBe(true);
    }
    expect(count(predicates.isNotRunning)).toBe(7);
  });

  it("know that there is a VM already", () => {
    for (const call of ["vm.create", "vm.boot", "vm.restore"])
      expect(predicates.isAlreadyCreated(real(call, "VM is already created"))).toBe(true);
    expect(count(predicates.isAlreadyCreated)).toBe(3);
  });

  it("know a state that does not allow the call, and which two states those are", () => {
    const twice = real("vm.pause", "InvalidStateTransition(Paused, Paused)");
    expect(predicates.isInvalidStateTransition(twice)).toBe(true);
    expect(predicates.invalidStateTransition(twice)).toEqual({ from: "Paused", to: "Paused" });
    expect(predicates.invalidStateTransition(real("vm.resume", "Running"))).toEqual({
      from: "Running",
      to: "Running",
    });
    expect(count(predicates.isInvalidStateTransition)).toBe(2);
  });

  it("know a device that is not there, one that cannot go, and an id that is taken", () => {
    expect(predicates.isDeviceNotFound(real("vm.remove-device", "identifier: nope"))).toBe(true);
    expect(predicates.isDeviceNotFound(real("vm.resize-disk", "identifier: nope"))).toBe(true);
    expect(count(predicates.isDeviceNotFound)).toBe(3);
    expect(predicates.isDeviceNotRemovable(real("vm.remove-device", "Not allowed to remove"))).toBe(
      true,
    );
    expect(count(predicates.isDeviceNotRemovable)).toBe(1);
    expect(
      predicates.isIdNotUnique(
        real("vm.add-disk", "Invalid identifier as it is not unique: data1"),
      ),
    ).toBe(true);
    expect(predicates.isIdNotUnique(real("vm.add-disk", "Identifier data1 is not unique"))).toBe(
      true,
    );
    expect(predicates.isIdNotUnique(real("vm.boot", "Identifier d is not unique"))).toBe(true);
    expect(count(predicates.isIdNotUnique)).toBe(3);
  });

  it("know a resize that the guest has not followed yet", () => {
    expect(predicates.isPendingResize(real("vm.resize", "Too Many Requests"))).toBe(true);
    expect(count(predicates.isPendingResize)).toBe(1);
  });

  it("know a disk that is locked, and which", () => {
    const locked = real("vm.add-disk", '/t/img/b.raw","The file is already locked');
    expect(predicates.isDiskLocked(locked)).toBe(true);
    expect(predicates.lockedDisk(locked)).toBe("/t/img/b.raw");
    expect(count(predicates.isDiskLocked)).toBe(2);
  });

  it("know an unfinished restore on demand, and a VM without shared memory", () => {
    expect(
      predicates.isOnDemandRestoreInProgress(real("vm.snapshot", "on-demand memory restore")),
    ).toBe(true);
    expect(count(predicates.isOnDemandRestoreInProgress)).toBe(1);
    expect(predicates.isSharedMemoryRequired(real("vm.add-fs", "shared memory"))).toBe(true);
    expect(count(predicates.isSharedMemoryRequired)).toBe(2);
  });

  it("know a call that the VMM does not have, which is not a VM that it does not have", () => {
    expect(predicates.isUnknownCall(real("vm.nonsense", "Not Found"))).toBe(true);
    expect(predicates.isUnknownCall(real("vm.info", "VM is not created"))).toBe(false);
    expect(count(predicates.isUnknownCall)).toBe(5);
  });

  it("know a VMM without room for a connection", () => {
    expect(
      predicates.isServerFull(
        toError({ status: 503, path: "vm.info", body: '{ "error": "Too many open connections" }' }),
      ),
    ).toBe(true);
    expect(count(predicates.isServerFull)).toBe(0);
  });

  it("know a VMM that is ending, by its answer or by its connection", () => {
    expect(predicates.isVmmEnding(real("vm.pause", "receiving on a closed channel"))).toBe(true);
    const sending = '["Error from API","API request send error","sending on a closed channel"]';
    expect(
      predicates.isVmmEnding(toError({ status: 500, path: "vm.shutdown", body: sending })),
    ).toBe(true);
    expect(count(predicates.isVmmEnding)).toBe(1);
    const lost = (reason: ChConnectionFailure) =>
      new ChConnectionError(
        { method: "PUT", operation: "vm.shutdown" },
        { reason, socketPath: "/s", sent: true },
      );
    const all = ["closed", "refused", "missing", "denied", "busy", "other"] as const;
    expect(all.filter((reason) => predicates.isVmmEnding(lost(reason)))).toEqual([
      "closed",
      "refused",
      "missing",
    ]);
  });

  it("know the operating system's error at the end of the chain", () => {
    expect(predicates.osErrorOf(real("vm.create", "Address already in use"))).toBe(98);
    expect(predicates.osErrorOf(real("vm.snapshot", "File exists"))).toBe(17);
    expect(predicates.osErrorOf(real("vm.boot", "Cannot open kernel file"))).toBe(2);
    expect(predicates.osErrorOf(real("vm.boot", "Max CPUs"))).toBeUndefined();
  });

  it("hold for no other error, and for nothing that is none", () => {
    const others = [
      undefined,
      null,
      "VM is not created",
      new Error("VM is not created"),
      new ChTimeoutError({ method: "GET", operation: "vm.info" }, { timeoutMs: 1, sent: true }),
    ];
    for (const other of others) {
      for (const predicate of Object.values(predicates))
        expect(predicate(other)).toBeOneOf([false, undefined]);
    }
  });
});
