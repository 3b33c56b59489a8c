import { formatSize } from "../../output/format-size.ts";
import type { Check, Status } from "../finding.ts";
import { silentDirectory } from "../responds.ts";

const mib = 1024 ** 2;

interface Needed {
  /** With less the user is warned. */
  readonly wantedBytes: number;
  /** With less nothing more can be made. */
  readonly leastBytes: number;
}

/** Disks are sparse and grow as guests write; sockets and logs take next to nothing. */
const needed: Readonly<Record<"rootDir" | "runDir" | "logDir", Needed>> = {
  rootDir: { wantedBytes: 5 * 1024 * mib, leastBytes: 256 * mib },
  runDir: { wantedBytes: 16 * mib, leastBytes: mib },
  logDir: { wantedBytes: 64 * mib, leastBytes: mib },
};

/** Whether the directories' file systems have room. */
export const space: Check = {
  id: "space",
  title: "room on disk",
  group: "Directories",
  async run(context) {
    const { config, host } = context;
    const keys = ["rootDir", "runDir", "logDir"] as const;
    const silent = await silentDirectory(context, ...keys.map((key) => config[key]));
    if (silent !== undefined) return silent;
    const found = await Promise.all(
      keys.map(async (key) => {
        const { freeBytes, totalBytes } = await host.files.space(config[key]);
        const { leastBytes, wantedBytes } = needed[key];
        const status: Status =
          freeBytes < leastBytes ? "failed" : freeBytes < wantedBytes ? "warning" : "ok";
        const room = `${formatSize(freeBytes)} of ${formatSize(totalBytes)} free`;
        return { status, room, path: config[key] };
      }),
    );
    const has = (wanted: Status): boolean => found.some(({ status }) => status === wanted);
    const status = has("failed") ? "failed" : has("warning") ? "warning" : "ok";
    const told = found.filter((one) => status === "ok" || one.status !== "ok");
    const evidence = [...Map.groupBy(told, ({ room }) => room)]
      .map(([room, places]) => `${room} in ${places.map(({ path }) => path).join(", ")}`)
      .join("; ");
    if (status === "ok") return { status, evidence };
    return {
      status,
      evidence,
      why: "Disks take room only as guests write to them: a guest whose disk finds none left sees errors.",
      fix: {
        command: "silk gc --dry-run",
        description: "See what silk can let go, or free some room.",
        automatic: false,
      },
    };
  },
};
