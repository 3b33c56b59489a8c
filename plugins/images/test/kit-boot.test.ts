import { readFileSync, writeFileSync } from "node:fs";
import type { RunSpec, VmImage } from "@silkvm/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BootKit, containerRun, type ImageRunConfig } from "../src/index.ts";
import { Bed, canConvert } from "./bed.ts";
import { bigText, everyByte, importImage } from "./kit-image.ts";
import { type Boot, canBoot, canShare, Machine, makeDisks, shareDirectory } from "./kit-scene.ts";

const timeoutMs = 120_000;

/** What a program is to print: `name: text`, by the name. */
function facts(output: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    output
      .split("\n")
      .filter((line) => line.includes(": "))
      .map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]),
  );
}

describe.skipIf(!canBoot || !canConvert)(
  "a container image boots, and",
  { timeout: timeoutMs },
  () => {
    let bed: Bed;
    let kit: BootKit;
    let image: VmImage;
    let config: ImageRunConfig;

    beforeAll(async () => {
      bed = new Bed();
      ({ image, config } = await importImage(bed));
      kit = await bed.images.kit();
    });
    afterAll(async () => {
      await bed[Symbol.asyncDispose]();
    });

    const disksOf = (name: string) => makeDisks(bed, name);
    const start = (
      disks: { readonly cowPath: string; readonly exitPath: string },
      overrides: RunSpec | undefined,
      more: Partial<Boot> = {},
    ): Machine =>
      new Machine(bed, {
        ...kit,
        ...disks,
        layers: image.layers,
        ...(overrides === undefined ? {} : { run: containerRun(config, overrides) }),
        ...more,
      });
    const shell = (script: string): readonly string[] => ["sh", "-c", script];

    test("its program is who, where and what it was told to be", async () => {
      const odd = 'it\'s "quoted" $HOME `id` \\ \n two lines, こんにちは \u0081 ÿ *';
      const script = `
      echo "id: $(id)"; echo "where: $(pwd)"; echo "home: $HOME"; echo "who: $WHO"; echo "dotted: $(grep -c 'a[.]b=c d' /proc/$$/environ)"
      echo "name: $(hostname) $HOSTNAME"; echo "terminal: $(tty)"; echo "input: $(cat | wc -c)"
      echo "argument: $(test "$1" = "$ODD" && echo same) $#"
      echo "gone: $(cat /data/gone 2>&1)"; echo "kept: $(cat /data/kept)"; echo "old: $(ls /data/old)"
      echo "address: $(ip -o -4 addr show dev eth0 | awk '{ print $4 }')"; echo "route: $(ip route | grep default)"
      echo "dns: $(cat /etc/resolv.conf)"; echo "hosts: $(grep -c web /etc/hosts)"; echo "hostname: $(cat /etc/hostname)"
      echo "root: $(stat -c %a /)"; echo "run: $(stat -c '%a %u' /run/app)"; echo "passwd: $(grep -c : /etc/passwd)"
      echo "mounts: $(awk '{ printf "%s ", $2 }' /proc/mounts)"
      ( sh -c 'sleep 0.1 & exit' ); sleep 1; echo "zombies: $(grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null)"
      sleep 1000 &
      exit 3`;
      await using machine = start(
        await disksOf("facts"),
        {
          entrypoint: ["sh"],
          args: ["-c", script, "zero", odd],
          env: [`ODD=${odd}`, "a.b=c d", "WHO=the user"],
          user: "app",
        },
        {
          words: [
            "net.ifnames=0 cocoon.hostname=web ip=10.0.2.9::10.0.2.2:255.255.255.0:web:eth0:off:10.0.2.3:1.1.1.1",
          ],
          qemu: ["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net"],
        },
      );
      const { output, exit } = await machine.ended();
      expect(exit, output).toEqual({ exitCode: 3 });
      expect(facts(output), output).toEqual({
        id: "uid=1000(app) gid=1001(app) groups=77(audio),1001(app)",
        where: "/srv/some where",
        home: "/home/app",
        who: "the user",
        dotted: "1",
        name: "web web",
        terminal: "not a tty",
        input: "0",
        argument: "same 1",
        gone: "cat: can't open '/data/gone': No such file or directory",
        kept: "of a lower layer",
        old: "above",
        address: "10.0.2.9/24",
        route: "default via 10.0.2.2 dev eth0 ",
        dns: "nameserver 10.0.2.3",
        hosts: "1",
        hostname: "web",
        root: "755",
        run: "700 1000",
        passwd: "2",
        mounts: "/ /proc /sys /sys/fs/cgroup /dev /dev/pts /dev/shm /run ",
        zombies: "",
      });
    });

    test("what its program writes is what comes from the console, to the last byte", async () => {
      await using machine = start(await disksOf("bytes"), {
        args: shell("cat /data/every /data/big /data/every; exit 0"),
      });
      const { output, exit } = await machine.ended();
      const every = everyByte.toString("latin1");
      expect(output === every + bigText + every, `${output.length} characters`).toBe(true);
      expect(exit).toEqual({ exitCode: 0 });
    });

    test("what it wrote is there at the next boot, also after a power failure; a signal is told from a code", async () => {
      const disks = await disksOf("lives");
      {
        await using machine = start(disks, {
          args: shell(
            "echo first >/data/mine; rm /data/kept; sync; echo unsaved >/data/lost; echo written; sleep 1000",
          ),
        });
        await machine.see("written");
        await machine.kill();
      }
      await using again = start(disks, {
        args: shell("cat /data/mine; test -e /data/kept || echo gone; kill -9 $$"),
      });
      expect(await again.ended()).toEqual({
        output: "first\ngone\n",
        exit: { exitCode: 137, signal: "SIGKILL" },
      });
    });

    test("the console is its program's terminal, where that is wanted", async () => {
      await using machine = start(await disksOf("tty"), {
        args: ["sh"],
        tty: true,
        user: "1234:77",
      });
      // A shell may ask the terminal where its cursor is.
      const prompt = new RegExp(String.raw`\$ (?:\u001b\[6n)?$`);
      await machine.see(prompt);
      // Whoever says so has the terminal already.
      machine.type("id; tty; sh -c 'echo $TERM; exec sleep 1000'; echo after=$?\n");
      await machine.see("xterm");
      machine.type("\x03");
      await machine.see(prompt);
      machine.type("sleep 1000 &\n jobs\n");
      await machine.see("Running");
      machine.type("exit 130\n");
      const { output, exit } = await machine.ended();
      expect(exit).toEqual({ exitCode: 130 });
      expect(output).toContain("uid=1234 gid=77(audio)");
      expect(output).toContain("/dev/hvc0");
      expect(output).not.toContain("after=0");
      expect(output).not.toContain("job control turned off");
    });

    test("the power button asks its program to end, by the signal that it wants", async () => {
      await using machine = start(await disksOf("button"), {
        args: shell("trap 'echo asked; exit 7' USR1; echo up; while :; do sleep 0.1; done"),
      });
      await machine.see("up");
      await machine.monitor("system_powerdown");
      expect(await machine.ended()).toEqual({ output: "up\nasked\n", exit: { exitCode: 7 } });
    });

    test("a program that is called init is the first of its namespace, and a NIC without an address asks for one", async () => {
      const script = `
        test "$(readlink /proc/self/exe)" = /bin/busybox && echo "me: $$ $(ls -d /proc/[0-9]* | wc -l)"
        echo "address: $(ip -o -4 addr show dev eth0 | awk '{ print $4 }')"; echo "route: $(ip route | grep default)"
        echo "dns: $(cat /etc/resolv.conf)"
        trap 'echo asked; exit 5' USR1; echo up; while :; do sleep 0.1; done`;
      await using machine = start(
        await disksOf("first"),
        { args: ["/opt/init", script] },
        { qemu: ["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net"] },
      );
      await machine.see("up\n");
      await machine.monitor("system_powerdown");
      const { output, exit } = await machine.ended();
      expect(exit, output).toEqual({ exitCode: 5 });
      expect(facts(output), output).toEqual({
        me: expect.stringMatching(/^1 \d$/) as string,
        address: "10.0.2.15/24",
        route: expect.stringContaining("default via 10.0.2.2 dev eth0") as string,
        dns: "nameserver 10.0.2.3",
      });
      expect(output).toContain("asked\n");
    });

    test.skipIf(!canShare)(
      "a volume that is plugged in a moment later is where it was told to be",
      async () => {
        const disks = await disksOf("volume");
        // Whatever an earlier boot has left is taken away before the volume is waited for.
        writeFileSync(disks.exitPath, "exit 99\n", { flag: "r+" });
        await using share = await shareDirectory(bed, "volume", { greeting: "from the host" });
        await using machine = start(
          disks,
          {
            args: shell(
              "cat '/mnt/a b/greeting' >'/mnt/a b/answer'; cat '/mnt/a b/answer'; exit 0",
            ),
            mounts: [{ tag: "data", path: "/mnt/a b", readonly: false }],
          },
          { qemu: share.qemu },
        );
        await machine.until(() =>
          readFileSync(disks.exitPath)
            .subarray(0, 512)
            .every((byte) => byte === 0),
        );
        await machine.monitor(share.chardev);
        await machine.monitor(share.device);
        expect(await machine.ended()).toEqual({
          output: "from the host",
          exit: { exitCode: 0 },
        });
        expect(readFileSync(bed.path("volume/answer"), "utf8")).toBe("from the host");
      },
    );

    test("runs the image's own init where nothing is told", async () => {
      await using machine = start(await disksOf("init"), undefined);
      const { output, exit } = await machine.ended();
      expect(output).toBe("init is the first of all: 1\r\n");
      expect(exit).toBeUndefined();
    });
  },
);
