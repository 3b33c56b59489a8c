import { resolve } from "node:path";
import { file } from "@oclif/core/flags";
import { SilkCommand } from "../base-command.ts";
import { openEngine } from "../engine.ts";
import { collectMetrics } from "../metrics/collect.ts";
import { type Metric, renderMetrics } from "../metrics/prometheus.ts";
import { print, printJson } from "../output/stdout.ts";

export default class Metrics extends SilkCommand {
  static override summary = "print metrics for Prometheus";
  static override description =
    "VMs by backend and state, snapshots and their bytes, and since the store was made: events, operations that have succeeded, and how long they took. The format is Prometheus' text format. Names and labels are stable. With --json an array of the same. Spans of each operation with its phases are for a hook: see the plugin author's guide.";
  static override examples = [
    { description: "look", command: "silk metrics" },
    {
      description: "for node_exporter's textfile collector, from a timer",
      command: "silk metrics --output /var/lib/node_exporter/silk.prom",
    },
    {
      description: "how many VMs run",
      command:
        'silk metrics --json | jq \'[.[] | select(.name == "silk_vms").samples[] | select(.labels.state == "running").value] | add\'',
    },
  ];
  static override flags = {
    output: file({
      char: "o",
      description: "write the text to this file instead, all at once",
      helpValue: "FILE",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Metrics);
    let metrics: readonly Metric[];
    {
      await using open = await openEngine(flags, this.config);
      const { engine } = open;
      const [vms, snapshots, totals] = await Promise.all([
        engine.list({ ...open.call(), all: true }),
        engine.snapshots.list(open.call()),
        engine.totals(open.call()),
      ]);
      metrics = collectMetrics({ version: this.config.version, vms, snapshots, totals });
      if (flags.output !== undefined)
        await open.host.files.writeAtomic(resolve(flags.output), renderMetrics(metrics), {
          mode: 0o644,
        });
    }
    if (flags.json) printJson(metrics);
    else if (flags.output === undefined) print(renderMetrics(metrics));
  }
}
