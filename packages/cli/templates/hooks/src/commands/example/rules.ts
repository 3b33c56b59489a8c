import { Command, Flags } from "@oclif/core";
import { rules } from "../../policy.ts";

export default class Rules extends Command {
  static override summary = "print the rules that VMs are made by";
  static override examples = [
    { description: "for a program", command: "silk example rules --json" },
  ];
  static override flags = { json: Flags.boolean({ description: "print JSON" }) };

  async run(): Promise<void> {
    const { flags } = await this.parse(Rules);
    this.log(flags.json ? JSON.stringify(rules) : rules.join("\n"));
  }
}
