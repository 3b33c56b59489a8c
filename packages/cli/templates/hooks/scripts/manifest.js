import { writeFileSync } from "node:fs";
import { Plugin } from "@oclif/core/config";

// Asks every built command for its flags now, so that silk need not load any of them to know.
const plugin = new Plugin({
  root: process.cwd(),
  ignoreManifest: true,
  errorOnManifestCreate: true,
});
await plugin.load();
writeFileSync("oclif.manifest.json", `${JSON.stringify(plugin.manifest, undefined, 2)}\n`);
