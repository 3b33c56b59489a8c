import { SilkCommand } from "../base-command.ts";
import { specStatics } from "../flags/from-spec.ts";
import { print } from "../output/stdout.ts";
import { versionSpec } from "../version-spec.ts";
import { renderVersion } from "../version-view.ts";

const { summary, description, examples } = specStatics(versionSpec);

export default class Version extends SilkCommand {
  static override summary = summary;
  static override description = description;
  static override examples = examples;

  async run(): Promise<void> {
    const { flags } = await this.parse(Version);
    const { version: silk } = this.config;
    const { platform, arch, versions } = process;
    print(
      renderVersion(
        { silk, node: versions.node, platform, arch },
        { json: flags.json, pretty: process.stdout.isTTY },
      ),
    );
  }
}
