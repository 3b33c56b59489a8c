import { readFileSync } from "node:fs";
import type { VmImage } from "@silkvm/core";
import type { ImageRunConfig } from "../src/index.ts";
import type { Bed } from "./bed.ts";
import { writeLayout } from "./oci-layout.ts";
import { buildTar, type TarEntry } from "./tar-builder.ts";

const directory = (name: string, more: Partial<TarEntry> = {}): TarEntry => ({
  name: `${name}/`,
  type: "5",
  ...more,
});
const file = (name: string, content: string | Buffer, mode = 0o644): TarEntry => ({
  name,
  content,
  mode,
});

/** Each byte that there is, and no end of line. */
export const everyByte: Buffer = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
export const bigText = `${"0123456789abcdef".repeat(64)}\n`.repeat(512);

const applets =
  "awk cat cut env grep hostname id ip ls mount ps readlink rm sh sleep stat stty test tty wc";

const layers: readonly (readonly TarEntry[])[] = [
  [
    directory(".", { mode: 0o755 }),
    ...["bin", "etc", "data", "data/old", "opt", "sbin", "run"].map((name) => directory(name)),
    directory("run/app", { uid: 1000, mode: 0o700 }),
    directory("root", { mode: 0o700 }),
    file("bin/busybox", readFileSync("/bin/busybox"), 0o755),
    ...applets
      .split(" ")
      .map((name) => ({ name: `bin/${name}`, type: "2", link: "busybox", mode: 0o777 })),
    file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n"),
    file("etc/group", "root:x:0:\nwheel:x:10:root\napp:x:1001:\naudio:x:77:other,app\n"),
    file("data/every", everyByte),
    file("data/big", bigText),
    file("data/gone", "of a lower layer"),
    file("data/kept", "of a lower layer"),
    file("data/old/below", "of a lower layer"),
    file("opt/init", '#!/bin/sh\neval "$1"\n', 0o755),
    file(
      "sbin/init",
      "#!/bin/sh\necho 'init is the first of all:' $$\nsync\nexec /bin/busybox poweroff -f\n",
      0o755,
    ),
  ],
  [
    directory("data"),
    file("data/.wh.gone", ""),
    directory("data/old"),
    file("data/old/.wh..wh..opq", ""),
    file("data/old/above", "of an upper layer"),
  ],
];

/** An image with a shell, as a container engine would run it. */
export async function importImage(
  bed: Bed,
): Promise<{ readonly image: VmImage; readonly config: ImageRunConfig }> {
  writeLayout(bed.path("layout"), [
    {
      layers: layers.map((entries) => ({ tar: buildTar(entries) })),
      config: {
        Cmd: ["sh", "-c", "exit 9"],
        Env: ["PATH=/bin:/sbin", "WHO=the image"],
        WorkingDir: "/srv/some where",
        StopSignal: "USR1",
      },
    },
  ]);
  const { image: record } = await bed.images.import(bed.path("layout"), { name: "shell" });
  const { image, lease } = await bed.images.lease("shell");
  bed.defer(() => lease.release());
  if (record.run === undefined) throw new Error("the image says nothing of how it is run");
  return { image, config: record.run };
}
