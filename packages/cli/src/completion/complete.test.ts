import { describe, expect, it } from "vitest";
import { complete, type KnownCommand } from "./complete.ts";

const commands: KnownCommand[] = [
  {
    id: "vm:list",
    aliases: ["vm:ls"],
    summary: "list VMs",
    args: {},
    flags: {
      quiet: { type: "boolean", char: "q", summary: "ids only" },
      filter: { type: "option", char: "f", multiple: true, description: "filter\nlong text" },
      "log-level": { type: "option", options: ["debug", "info"] },
      secret: { type: "boolean", hidden: true },
    },
  },
  { id: "vm:ls", aliases: ["vm:ls"], summary: "list VMs", args: {}, flags: {} },
  {
    id: "vm:start",
    aliases: [],
    args: { vm: { multiple: true } },
    flags: { kernel: { type: "option", aliases: ["vmlinux"] }, "root-dir": { type: "option" } },
  },
  { id: "vm:console", aliases: [], args: { vm: {} }, flags: {} },
  { id: "vm:restore", aliases: [], args: { vm: {}, snapshot: {} }, flags: {} },
  {
    id: "snapshot:list",
    aliases: [],
    args: {},
    flags: { vm: { type: "option" }, "to-dir": { type: "option" }, output: { type: "option" } },
  },
  { id: "snapshot:rm", aliases: [], args: { snapshot: { multiple: true } }, flags: {} },
  { id: "snapshot:import", aliases: [], args: { file: {} }, flags: {} },
  { id: "network:inspect", aliases: [], args: { network: { multiple: true } }, flags: {} },
  {
    id: "vm:create",
    aliases: [],
    args: { image: {} },
    flags: {
      bridge: { type: "option" },
      network: { type: "option" },
      "ssh-key": { type: "option", multiple: true },
    },
  },
  { id: "config:get", aliases: [], args: { key: {} }, flags: {} },
  { id: "version", aliases: [], args: {}, flags: {} },
  { id: "__complete", hidden: true, aliases: [], args: {}, flags: {} },
];
const topics = [{ name: "vm", description: "VMs\nand more" }, { name: "config" }];

function values(...words: string[]): readonly string[] | string {
  const completion = complete(words, commands, topics);
  return completion.type === "words"
    ? completion.candidates.map(({ value }) => value)
    : completion.type;
}

describe("complete", () => {
  it("offers what comes next: topics and commands, neither aliases nor what is hidden", () => {
    expect(values("")).toEqual(["vm", "snapshot", "network", "config", "version"]);
    expect(values("vm", "")).toEqual(["list", "start", "console", "restore", "create"]);
    expect(values("nosuch", "")).toEqual(["vm", "snapshot", "network", "config", "version"]);
    expect(complete([""], commands, topics)).toMatchObject({
      candidates: [{ description: "VMs" }, {}, {}, {}, {}],
    });
  });

  it("offers the flags of the command, hidden and given ones left out", () => {
    expect(values("vm", "list", "-")).toEqual(["--quiet", "--filter", "--log-level", "--help"]);
    expect(values("vm", "list", "--quiet", "--filter", "a=b", "--")).toEqual([
      "--filter",
      "--log-level",
      "--help",
    ]);
    expect(values("vm", "list", "--log-level=info", "--")).not.toContain("--log-level");
    expect(values("-")).toBe("nothing");
  });

  it("offers a flag's values, behind a space, an equals sign, its letter or another name", () => {
    expect(values("vm", "list", "--log-level", "")).toEqual(["debug", "info"]);
    expect(values("vm", "list", "--log-level=")).toEqual(["debug", "info"]);
    expect(values("vm", "list", "-f", "")).toBe("nothing");
    expect(values("vm", "start", "--kernel", "")).toBe("files");
    expect(values("vm", "start", "--vmlinux", "")).toBe("files");
    expect(values("vm", "start", "--root-dir=")).toBe("directories");
    expect(values("vm", "list", "--quiet", "")).toBe("nothing");
  });

  it("offers VMs where VMs are wanted, as many as are wanted", () => {
    expect(complete(["vm", "start", "--kernel", "k", "a", "b", ""], commands, topics)).toEqual({
      type: "vms",
      command: "vm:start",
      given: ["a", "b"],
    });
    expect(values("vm", "console", "")).toBe("vms");
    expect(values("vm", "console", "web", "")).toBe("nothing");
    expect(values("config", "get", "")).toBe("settings");
    expect(values("version", "")).toBe("nothing");
  });

  it("offers snapshots where snapshots are wanted, and files where an archive is", () => {
    expect(complete(["snapshot", "rm", "a", ""], commands, topics)).toEqual({
      type: "snapshots",
      command: "snapshot:rm",
      given: ["a"],
    });
    expect(values("vm", "restore", "")).toBe("vms");
    expect(complete(["vm", "restore", "web", ""], commands, topics)).toEqual({
      type: "snapshots",
      command: "vm:restore",
      given: [],
    });
    expect(values("vm", "restore", "web", "web-1", "")).toBe("nothing");
    expect(values("snapshot", "list", "--vm", "")).toBe("vms");
    expect(values("snapshot", "list", "--output", "")).toBe("files");
    expect(values("snapshot", "list", "--to-dir", "")).toBe("directories");
    expect(values("snapshot", "import", "")).toBe("files");
  });

  it("offers networks where networks are wanted, of the kind that the flag names", () => {
    expect(complete(["network", "inspect", "br0", ""], commands, topics)).toEqual({
      type: "networks",
      given: ["br0"],
    });
    const flag = (name: string) => complete(["vm", "create", name, ""], commands, topics);
    expect(flag("--bridge")).toMatchObject({ type: "networks", flag: "bridge" });
    expect(flag("--network")).toMatchObject({ type: "networks", flag: "network" });
  });

  it("takes everything behind two dashes for an argument", () => {
    expect(values("vm", "start", "--", "--kernel", "")).toBe("vms");
    expect(values("vm", "start", "--", "-")).toBe("vms");
  });

  it("offers images where one is named, and files for what a guest is told", () => {
    expect(complete(["vm", "create", ""], commands, topics)).toMatchObject({
      type: "images",
      given: [],
    });
    expect(values("vm", "create", "web:1", "")).toBe("nothing");
    expect(values("vm", "create", "--ssh-key", "")).toBe("files");
  });
});
