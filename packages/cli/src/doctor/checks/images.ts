import { familiarName, openImages } from "@silkvm/images";
import { shellQuote } from "../../output/shell-quote.ts";
import type { Check } from "../finding.ts";
import { silentDirectory } from "../responds.ts";

const shown = 3;

/** Whether every image has all of its files. */
export const images: Check = {
  id: "images",
  title: "images",
  group: "silk",
  atWorst: "warning",
  async run(context) {
    const { host, config } = context;
    const silent = await silentDirectory(context, config.rootDir);
    if (silent !== undefined) return silent;
    await using opened = openImages({ host, rootDir: config.rootDir });
    const all = opened.list();
    const present = new Set((await opened.blobs()).map(({ blobId }) => blobId));
    const broken = all.filter(({ blobIds }) => blobIds.some((id) => !present.has(id)));
    const [first] = broken;
    if (first === undefined)
      return { status: "ok", evidence: all.length === 0 ? "none yet" : `${all.length}, all whole` };
    const names = broken.map(({ ref }) => familiarName(ref));
    const more = names.length > shown ? `, and ${names.length - shown} more` : "";
    return {
      status: "warning",
      evidence: `parts are missing of ${names.slice(0, shown).join(", ")}${more}`,
      why: "No VM can be made of them, and VMs that were may not start.",
      fix: {
        command: `silk image pull ${names.map(shellQuote).join(" ")}`,
        description: "Get what is missing again; import again what was imported.",
        automatic: false,
      },
    };
  },
};
