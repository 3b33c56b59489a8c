import { cmdlineOf, type DeviceData, type VmView } from "@silkvm/core";
import { imageFields } from "./images/vm-image-fields.ts";
import { memoryWords } from "./load-view.ts";
import { addressWord, networkWord } from "./nic-view.ts";
import { type Field, renderFields } from "./output/fields.ts";
import { formatSize } from "./output/format-size.ts";
import { printableLine } from "./output/printable.ts";
import { formatAgo, formatSpan } from "./output/relative-time.ts";
import { renderSection } from "./output/section.ts";
import type { Column } from "./output/table.ts";

/** Ids of the snapshots that a VM has to do with. */
export function snapshotsOf(vm: VmView): ReadonlySet<string> {
  const { snapshotIds, parentSnapshotId, hibernatedIn, runtime } = vm;
  const others = [parentSnapshotId, hibernatedIn, runtime?.memory?.snapshotId];
  return new Set([...snapshotIds, ...others.filter((id) => id !== undefined)]);
}

/**
 * What `silk vm inspect` tells a person of a VM.
 * @param snapshotNames names by the snapshots' ids; one that is missing is not kept here, or no longer
 */
export function renderVmView(
  vm: VmView,
  nowMs: number,
  snapshotNames: ReadonlyMap<string, string> = new Map(),
): string {
  const named = (id: string): string => `${snapshotNames.get(id) ?? "not here"} (${id})`;
  const sections: (readonly [title: string, body: string])[] = [
    ["Image", renderFields(imageFields(vm.config), "  ")],
    ["Boot", renderFields(bootFields(vm), "  ")],
    ["Disks", renderSection(diskColumns, vm.disks)],
    ["Attached", renderSection(attachmentColumns, vm.attachments ?? [])],
    ["NICs", renderSection(nicColumns, nicRows(vm))],
    ["Restored", renderFields(restoredFields(vm, named), "  ")],
    ["Devices", renderSection(deviceColumns, vm.observed.devices ?? [])],
    ["Labels", renderFields(Object.entries(vm.labels), "  ")],
    ["Paths", renderFields(pathFields(vm), "  ")],
  ];
  const told = sections.filter(([, body]) => body !== "");
  return (
    renderFields(mainFields(vm, nowMs, named)) +
    told.map(([title, body]) => `${title}\n${body}`).join("")
  );
}

type Named = (snapshotId: string) => string;

function mainFields(vm: VmView, nowMs: number, named: Named): Field[] {
  const { config, runtime, problem, operation, observed, parentSnapshotId, snapshotIds } = vm;
  const at = (iso: string): string => `${iso} (${formatAgo(iso, nowMs)})`;
  return [
    ["ID", vm.id],
    ["Name", vm.name],
    ["State", vm.state],
    ["Problem", problem === undefined ? undefined : `${problem.message} (${problem.code})`],
    [
      "Operation",
      operation === undefined
        ? undefined
        : `${operation.verb}, by process ${operation.pid} since ${at(operation.startedAt)}`,
    ],
    ["Hibernated", hibernated(vm, named)],
    ["Backend", vm.backend],
    [
      "VMM",
      runtime === undefined
        ? observed.vmm
        : `${runtime.vmmVersion}, process ${runtime.vmm.pid}, ${observed.vmm}`,
    ],
    ["CPUs", config.cpus],
    ["Memory", memory(vm)],
    ["Storage", config.storageBytes === 0 ? undefined : formatSize(config.storageBytes)],
    ["Network", network(vm)],
    ["Options", options(vm)],
    ["Created", at(vm.createdAt)],
    [
      "Uptime",
      runtime === undefined
        ? undefined
        : formatSpan(Math.max(0, nowMs - Date.parse(runtime.startedAt))),
    ],
    ["Parent", parentSnapshotId === undefined ? undefined : named(parentSnapshotId)],
    ["Snapshots", snapshotIds.length === 0 ? undefined : snapshotIds.map(named).join(", ")],
  ];
}

function memory({ config, observed }: VmView): string {
  const now = observed.memoryBytes;
  const size = formatSize(config.memoryBytes);
  return now === undefined || now === config.memoryBytes
    ? size
    : `${size} (${formatSize(now)} now)`;
}

/** How a VM that came from a snapshot has got its memory, and what it cannot do because of that. */
function restoredFields({ runtime }: VmView, named: Named): Field[] {
  if (runtime?.memory === undefined) return [];
  const { snapshotId, requested, used, reason, limits } = runtime.memory;
  return [
    ["From", named(snapshotId)],
    ["Memory", `${memoryWords[used]} (${used}; asked for: ${requested})`],
    ["Why", reason],
    ...limits.map((limit, index): Field => [index === 0 ? "Limits" : "", limit]),
  ];
}

function hibernated({ name, hibernatedIn }: VmView, named: Named): string | undefined {
  return hibernatedIn === undefined
    ? undefined
    : `in ${named(hibernatedIn)}; \`silk vm wake ${name}\` goes on from there`;
}

function network({ config }: VmView): string | undefined {
  return config.bridge === undefined ? config.network : `bridge ${config.bridge}`;
}

function options({ config }: VmView): string | undefined {
  const on = [
    config.sharedMemory && "shared memory",
    config.hugepages && "huge pages",
    config.noDirectIo && "no direct I/O",
    config.windows && "Windows",
  ].filter((option) => option !== false);
  return on.length === 0 ? undefined : on.join(", ");
}

/** What a VM boots. */
export function bootFields(vm: Parameters<typeof cmdlineOf>[0]): Field[] {
  const { boot } = vm;
  if (boot.kind === "firmware") return [["Firmware", boot.firmwarePath]];
  return [
    ["Kernel", boot.kernelPath],
    ["Initrd", boot.initrdPath],
    ["Cmdline", cmdlineOf(vm)],
  ];
}

function pathFields({ paths, runtime }: VmView): Field[] {
  return [
    ["Data", paths.dataDir],
    ["Run", paths.runDir],
    ["Log", paths.logPath],
    ["API socket", runtime?.apiSocketPath],
  ];
}

const diskColumns: readonly Column<VmView["disks"][number]>[] = [
  { header: "ROLE", cell: ({ role }) => role },
  { header: "ACCESS", cell: ({ readonly }) => (readonly ? "read-only" : "writable") },
  { header: "SERIAL", cell: ({ serial }) => serial ?? "-" },
  { header: "PATH", cell: ({ path }) => path },
];

const attachmentColumns: readonly Column<NonNullable<VmView["attachments"]>[number]>[] = [
  { header: "ID", cell: ({ id }) => id },
  { header: "KIND", cell: ({ kind }) => kind },
  { header: "STATE", cell: ({ state }) => state },
  { header: "KEEP", cell: ({ keep }) => (keep ? "yes" : "no") },
  { header: "WHAT", cell: ({ data }) => renderData(data) },
];

/** What only the kind of device understands: `path=/images/a.raw readonly=false`. Lists and the like are for `--json`. */
function renderData(data: DeviceData): string {
  const plain = Object.entries(data).filter(([, value]) => typeof value !== "object");
  return printableLine(plain.map(([name, value]) => `${name}=${String(value)}`).join(" "));
}

type NicRow = VmView["nics"][number] & { readonly isLeaving: boolean };

/** Also those that its guest was asked to let go of. */
function nicRows({ nics, leavingNics = [] }: VmView): NicRow[] {
  return [
    ...nics.map((nic) => ({ ...nic, isLeaving: false })),
    ...leavingNics.map(({ nic }) => ({ ...nic, isLeaving: true })),
  ];
}

const nicColumns: readonly Column<NicRow>[] = [
  { header: "TAP", cell: ({ tap }) => tap },
  { header: "MAC", cell: ({ mac }) => mac },
  {
    header: "NETWORK",
    cell: (nic) => `${networkWord(nic)}${nic.isLeaving ? " (leaving)" : ""}`,
  },
  { header: "ADDRESS", cell: addressWord },
];

const deviceColumns: readonly Column<NonNullable<VmView["observed"]["devices"]>[number]>[] = [
  { header: "ID", cell: ({ id }) => id },
  { header: "KIND", cell: ({ kind }) => kind },
  { header: "BDF", cell: ({ bdf }) => bdf ?? "-" },
];
