import { execFileSync, spawnSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeSandbox, type Sandbox, silkPath } from "./support/sandbox.ts";

let sandbox: Sandbox;
let bin: string;
beforeAll(async () => {
  sandbox = await makeSandbox();
  await sandbox.ok("vm", "run", "--name", "web", ...sandbox.vmFlags);
  await sandbox.ok("vm", "create", "--name", "db", "--id", "77aa", ...sandbox.vmFlags);
  bin = join(sandbox.dir, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "silk"), `#!/bin/sh\nexec '${process.execPath}' '${silkPath}' "$@"\n`);
  await chmod(join(bin, "silk"), 0o755);
  await symlink("/dev/null", join(sandbox.dir, "vmlinux-2"));
});
afterAll(() => sandbox[Symbol.asyncDispose]());

async function complete(...words: string[]): Promise<string[]> {
  return (await sandbox.ok("__complete", "fish", "--", ...words)).split("\n");
}

/** What a shell prints in which `silk` is on PATH. */
function inShell(shell: string, args: readonly string[], input?: string): string {
  return execFileSync(shell, args, {
    env: { ...sandbox.env, PATH: `${bin}:${process.env["PATH"]}`, TERM: "xterm" },
    cwd: sandbox.dir,
    timeout: 25_000,
    ...(input !== undefined && { input }),
  }).toString();
}

/** Whether a shell, or what starts one, is on this machine. */
function hasShell(shell: string): boolean {
  return spawnSync(shell, ["--version"]).status === 0;
}

describe("silk __complete", () => {
  it("offers topics and commands with what they do, but no hidden ones", async () => {
    const offered = await complete("");
    expect(offered).toContain("vm\tcreate, run and look after VMs");
    expect(offered).toContain("version\tprint the version");
    expect(offered.join()).not.toContain("__complete");
    expect(await complete("vm", "st")).toEqual([
      "start\tstart VMs and print their ids; one that runs is a success",
      "status\twatch the state of VMs",
      "stop\tstop VMs and print their ids; one that has stopped is a success",
      ":nothing",
    ]);
  });

  it("offers the VMs for which a command makes sense, by name, or by an id that was begun", async () => {
    expect(await complete("vm", "start", "")).toEqual(["db\tcreated", ":nothing"]);
    expect(await complete("vm", "stop", "")).toEqual(["web\trunning", ":nothing"]);
    expect(await complete("vm", "rm", "")).toEqual(["web\trunning", "db\tcreated", ":nothing"]);
    expect(await complete("vm", "rm", "--force", "web", "")).toEqual(["db\tcreated", ":nothing"]);
    expect(await complete("vm", "inspect", "77")).toEqual(["77aa\tdb", ":nothing"]);
    expect(await complete("vm", "rm", "--root-dir", "/nosuch", "")).toEqual([":nothing"]);
  });

  it("offers the disks that are attached to the VM, to detach one", async () => {
    const path = join(sandbox.dir, "backup.raw");
    await writeFile(path, Buffer.alloc(512));
    await sandbox.ok("vm", "disk", "attach", "web", "--path", path, "--name", "backup");
    const detach = ["vm", "disk", "detach"];
    const offered = ["backup\tattached", ":nothing"];
    expect(await complete(...detach, "web", "--name", "")).toEqual(offered);
    expect(await complete(...detach, "--timeout", "3s", "web", "--name", "b")).toEqual(offered);
    expect(await complete(...detach, "--name", "")).toEqual([":nothing"]);
    expect(await complete(...detach, "db", "--name", "")).toEqual([":nothing"]);
    expect(await complete("vm", "disk", "attach", "")).toEqual(["web\trunning", ":nothing"]);
    expect(await complete("vm", "disk", "attach", "web", "--path", "")).toEqual([":files"]);
    await sandbox.ok("vm", "disk", "detach", "web", "--name", "backup");
  });

  it("offers the PCI devices that can be handed over", async () => {
    const devices = await sandbox.json<{ address: string; usable: string }[]>("host", "devices");
    const usable = devices.filter((device) => device.usable !== "no");
    const offered = await complete("vm", "device", "attach", "web", "--pci", "");
    expect(offered.map((line) => line.split("\t")[0])).toEqual([
      ...usable.map(({ address }) => address),
      ":nothing",
    ]);
    expect(await complete("vm", "device", "detach", "web", "--id", "")).toEqual([":nothing"]);
    expect(await complete("vm", "device", "attach", "")).toEqual(["web\trunning", ":nothing"]);
  });

  it("offers flags that are not given yet, and their values", async () => {
    const flags = await complete("vm", "list", "--json", "--");
    expect(flags).toContain("--quiet\tprint ids only");
    expect(flags.join()).not.toContain("--json");
    expect(await complete("vm", "list", "--log-level", "")).toEqual([
      "debug",
      "info",
      "warn",
      "error",
      "silent",
      ":nothing",
    ]);
    expect(await complete("vm", "list", "--log-level=w")).toEqual(["--log-level=warn", ":nothing"]);
    expect(await complete("vm", "create", "--backend", "q")).toEqual(["qemu", ":nothing"]);
    expect(await complete("vm", "create", "--kernel", "")).toEqual([":files"]);
    expect(await complete("vm", "run", "--volume", "")).toEqual([":directories"]);
    expect(await complete("vm", "create", "--root-dir", "")).toEqual([":directories"]);
    expect(await complete("completion", "")).toEqual(["bash", "zsh", "fish", ":nothing"]);
    expect(await complete("config", "get", "ro")).toEqual(["rootDir", ":nothing"]);
  });

  it("never fails and never says a word of what is wrong", async () => {
    for (const words of [
      [],
      ["nosuch", ""],
      ["vm", "rm", "--config", "/nosuch", ""],
      ["vm", "--", "--x", ""],
    ])
      expect(await sandbox.silk(["__complete", "zsh", "--", ...words])).toMatchObject({
        code: 0,
        stderr: "",
      });
    expect(await sandbox.silk(["__complete", "tcsh"])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "",
    });
  });
});

describe("silk completion bash", () => {
  /** What bash would put in the place of the last word of a line. */
  function inBash(line: string): string[] {
    // What readline does before it calls the function: words end at COMP_WORDBREAKS, too.
    const script = `source <(silk completion bash)
      COMP_WORDS=($(sed 's/=/ = /g' <<<"$1")); [[ $1 == *[\\ =] ]] && COMP_WORDS+=("")
      COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _silk silk; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return inShell("bash", ["-c", script, "bash", line]).trimEnd().split("\n");
  }

  it("completes commands, flags, VMs and files", () => {
    expect(inBash("silk vm sta")).toEqual(["start", "status"]);
    expect(inBash("silk vm stop ")).toEqual(["web"]);
    expect(inBash("silk vm list --q")).toEqual(["--quiet"]);
    expect(inBash("silk vm create --kernel vmlinux-")).toEqual(["vmlinux-2"]);
  });

  it("completes the part of a word behind its equals sign, as bash wants it", () => {
    expect(inBash("silk vm list --log-level=w")).toEqual(["warn"]);
    expect(inBash("silk vm create --kernel=vmlinux-")).toEqual(["vmlinux-2"]);
  });
});

describe.skipIf(!hasShell("script"))("silk completion bash, typed on a terminal", () => {
  it("completes as Tab is pressed", () => {
    const typed = [
      "PS1=; bind 'set enable-bracketed-paste off'; source <(silk completion bash)",
      "silk config get ro\t",
      "silk vm list --log-level=w\t --qu\t --filt\tstate=running",
      "silk vm debug --kernel=vmlinux-\t --jso\t",
      "exit 0",
      "",
    ].join("\n");
    const bash = ["-qec", "bash --norc --noprofile -i", "/dev/null"];
    const said = inShell("script", bash, typed).split(/\r*\n/);
    expect(said).toContain(join(sandbox.dir, "root"));
    expect(said.filter((line) => /^[0-9a-f]{16}$/.test(line))).toHaveLength(1);
    expect(said.join("\n")).toContain(join(sandbox.dir, "vmlinux-2"));
  });
});

describe.skipIf(!hasShell("zsh"))("silk completion zsh, typed on a terminal", () => {
  /** What zsh makes of a line when Tab is pressed at its end, behind what it lists. */
  function inZsh(line: string): string {
    const start = [
      "PROMPT=",
      "autoload -Uz compinit",
      "compinit -u -D",
      "source <(silk completion zsh)",
      'tell() { print -r -- "[""[$BUFFER]""]"; zle kill-buffer }',
      "zle -N tell",
      'bindkey "^X" tell',
      'print rea""dy',
    ];
    const script = [
      "zmodload zsh/zpty",
      "zpty z zsh -f -i",
      'zpty -w z "$1"',
      "zpty -r z out '*ready*'",
      "zpty -w -n z \"$2\"$'\\t\\x18'",
      "zpty -r z out '*\\[\\[*\\]\\]*'",
      'print -r -- "$out"',
      "zpty -d z",
    ].join("\n");
    return inShell("zsh", ["-f", "-c", script, "zsh", start.join("; "), line]);
  }

  it("completes commands, flags, VMs and files", () => {
    expect(inZsh("silk vm list --q")).toContain("[[silk vm list --quiet ]]");
    expect(inZsh("silk vm stop ")).toContain("[[silk vm stop web ]]");
    expect(inZsh("silk vm create --kernel=vmlinux-")).toContain("--kernel=vmlinux-2 ]]");
    expect(inZsh("silk config get ro")).toContain("[[silk config get rootDir ]]");
  });

  it("lists what there is to choose from, with what it does", () => {
    const listed = inZsh("silk vm sta");
    expect(listed).toMatch(/start +-- start VMs and print their ids/);
    expect(listed).toMatch(/status +-- watch the state of VMs/);
  });
});

describe.skipIf(!hasShell("fish"))("silk completion fish", () => {
  it("completes commands, flags, VMs and files", () => {
    const script = 'silk completion fish | source; complete -C "$argv"';
    const inFish = (line: string): string => inShell("fish", ["-c", script, line]);
    expect(inFish("silk vm stop ")).toBe("web\trunning\n");
    expect(inFish("silk vm list --log-level=w")).toBe("--log-level=warn\n");
    expect(inFish("silk vm create --kernel=vmlinux-")).toBe("--kernel=vmlinux-2\n");
  });
});

describe("the scripts", () => {
  it.each(["bash", "zsh", "fish"])("for %s are printed alone", async (shell) => {
    const { code, stdout, stderr } = await sandbox.silk(["completion", shell]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`silk __complete ${shell} --`);
  });

  it.each(["bash", "zsh", "fish"].filter(hasShell))(
    "for %s are what it can read",
    async (shell) => {
      const { stdout } = await sandbox.silk(["completion", shell]);
      const file = join(sandbox.dir, `silk.${shell}`);
      await writeFile(file, stdout);
      const { status, stderr } = spawnSync(shell, ["-n", file]);
      expect([status, stderr.toString()]).toEqual([0, ""]);
    },
  );
});
