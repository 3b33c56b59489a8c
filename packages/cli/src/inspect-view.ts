import type { Boot, VmView } from "@silkvm/core";
import { type Field, renderFields } from "./output/fields.ts";
import { formatSize } from "./output/format-size.ts";
import { formatAgo, formatSpan } from "./output/relative-time.ts";
import { type Column, renderTable } from "./output/table.ts";

/** What `silk vm inspect` tells a person of a VM. */
export function renderVmView(vm: VmView, nowMs: number): string {
  const sections: (readonly [title: string, body: string])[] = [
    ["Boot", renderFields(bootFields(vm.boot), "  ")],
    ["Disks", section(diskColumns, vm.disks)],
    ["NICs", section(nicColumns, vm.nics)],
    ["Devices", section(deviceColumns, vm.observed.devices ?? [])],
    ["Labels", renderFields(Object.entries(vm.labels), "  ")],
    ["Paths", renderFields(pathFields(vm), "  ")],
  ];
  const told = sections.filter(([, body]) => body !== "");
  return (
    renderFields(mainFields(vm, nowMs)) + told.map(([title, body]) => `${title}\n${body}`).join("")
  );
}

function mainFields(vm: VmView, nowMs: number): Field[] {
  const { config, runtime, problem, operation, observed } = vm;
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
    ["Options", options(vm)],
    ["Created", at(vm.createdAt)],
    [
      "Uptime",
      runtime === undefined
        ? undefined
        : formatSpan(Math.max(0, nowMs - Date.parse(runtime.startedAt))),
    ],
  ];
}

function memory({ config, observed }: VmView): string {
  const now = observed.memoryBytes;
  const size = formatSize(config.memoryBytes);
  return now === undefined || now === config.memoryBytes
    ? size
    : `${size} (${formatSize(now)} now)`;
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

function bootFields(boot: Boot): Field[] {
  if (boot.kind === "firmware") return [["Firmware", boot.firmwarePath]];
  return [
    ["Kernel", boot.kernelPath],
    ["Initrd", boot.initrdPath],
    ["Cmdline", boot.cmdline],
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

function section<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  if (rows.length === 0) return "";
  return renderTable(columns, rows).replaceAll(/^(?=.)/gm, "  ");
}

const diskColumns: readonly Column<VmView["disks"][number]>[] = [
  { header: "ROLE", cell: ({ role }) => role },
  { header: "ACCESS", cell: ({ readonly }) => (readonly ? "read-only" : "writable") },
  { header: "SERIAL", cell: ({ serial }) => serial ?? "-" },
  { header: "PATH", cell: ({ path }) => path },
];

const nicColumns: readonly Column<VmView["nics"][number]>[] = [
  { header: "TAP", cell: ({ tap }) => tap },
  { header: "MAC", cell: ({ mac }) => mac },
  { header: "PROVIDER", cell: ({ provider }) => provider },
  {
    header: "ADDRESS",
    cell: ({ address }) => (address === undefined ? "DHCP" : `${address.ip}/${address.prefix}`),
  },
];

const deviceColumns: readonly Column<NonNullable<VmView["observed"]["devices"]>[number]>[] = [
  { header: "ID", cell: ({ id }) => id },
  { header: "KIND", cell: ({ kind }) => kind },
  { header: "BDF", cell: ({ bdf }) => bdf ?? "-" },
];
