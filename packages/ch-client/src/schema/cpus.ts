import type { Filled } from "./common.ts";

/** The host's CPUs that a vCPU may run on. */
export interface CpuAffinity {
  readonly vcpu: number;
  /** CPUs of the host that this vCPU may run on. */
  readonly host_cpus: readonly number[];
}

/** Features of the CPU that are switched on by name. */
export interface CpuFeatures {
  /** Intel AMX. */
  readonly amx?: boolean | undefined;
}

/** How the guest sees its vCPUs arranged. */
export interface CpuTopology {
  readonly threads_per_core?: number | undefined;
  readonly cores_per_die?: number | undefined;
  readonly dies_per_package?: number | undefined;
  readonly packages?: number | undefined;
}

/** Which vCPUs may share a core of the host: all of this VM's, none, or whatever comes. */
export type CoreSchedulingMode = "Vm" | "Vcpu" | "Off";

/** How many vCPUs, and how they are arranged. */
export interface CpusConfig {
  /** vCPUs at boot. 0 is accepted by the VMM, which then hangs. */
  readonly boot_vcpus: number;
  /** vCPUs that `vm.resize` can go up to. At least `boot_vcpus`. */
  readonly max_vcpus: number;
  readonly topology?: CpuTopology | undefined;
  /** Hyper-V enlightenments, for Windows guests. Default false. */
  readonly kvm_hyperv?: boolean | undefined;
  /** Width of guest physical addresses in bits. Default 46. */
  readonly max_phys_bits?: number | undefined;
  readonly affinity?: readonly CpuAffinity[] | undefined;
  readonly features?: CpuFeatures | undefined;
  /** Whether the guest may run VMs of its own. Default true. */
  readonly nested?: boolean | undefined;
  /** Default `Vm`. */
  readonly core_scheduling?: CoreSchedulingMode | undefined;
  /** CPU model that the guest sees. v53 knows `Host` only, and its OpenAPI file lacks the field. */
  readonly profile?: string | undefined;
}

/** {@link CpusConfig} as `vm.info` answers it. */
export type ReportedCpusConfig = Filled<
  CpusConfig,
  "kvm_hyperv" | "max_phys_bits" | "features" | "nested" | "core_scheduling" | "profile"
>;
