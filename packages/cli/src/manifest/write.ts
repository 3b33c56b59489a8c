import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildManifest, packageRoot } from "./build-manifest.ts";

const manifest = await buildManifest();
const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
await writeFile(join(packageRoot, "oclif.manifest.json"), text);
