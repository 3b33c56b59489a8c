import { type Host, kvmProblem, restated, type SilkError } from "@silkvm/core";
import type { Machine } from "./machine.ts";

/** What runs the guest's code, and why. */
export interface AccelChoice {
  readonly accel: "kvm" | "tcg";
  readonly reason: string;
  /** Why KVM is not there, where it was not looked away from. */
  readonly problem?: SilkError | undefined;
}

/** Chooses by the setting and by what this user may open. */
export async function chooseAccel({
  host,
  settings,
}: Pick<Machine, "settings"> & { readonly host: Host }): Promise<AccelChoice> {
  if (settings.qemuAccel === "tcg")
    return { accel: "tcg", reason: "the setting qemuAccel says so" };
  const problem = await kvmProblem(host);
  if (settings.qemuAccel === "kvm")
    return { accel: "kvm", reason: "the setting qemuAccel says so", problem };
  return problem === undefined
    ? { accel: "kvm", reason: "/dev/kvm opens" }
    : { accel: "tcg", reason: problem.message, problem };
}

/**
 * As {@link chooseAccel}, for a VM that is to run.
 * @throws SilkError `KVM_UNAVAILABLE`, `KVM_DENIED` where KVM is insisted on
 */
export async function requireAccel(machine: Machine): Promise<AccelChoice> {
  const choice = await chooseAccel(machine);
  const { accel, problem } = choice;
  if (accel !== "kvm" || problem === undefined) return choice;
  throw restated(problem, {
    hint: `${problem.hint} Or let VMs run without it, and slower: silk config set qemuAccel auto`,
  });
}
