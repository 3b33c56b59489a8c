import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeOciLayout } from "../oci-image.ts";
import type { BoxParts } from "./needs.ts";

/** The image of a container, as an OCI layout. */
export interface ContainerImage extends Disposable {
  /** The directory of the layout. */
  readonly path: string;
}

/**
 * Makes an image whose programs are shell scripts, run by busybox as somebody who is not root. Its own one tells what it was given, keeps what it
 * reads in /data, writes what is there, complains, and ends with 7.
 */
export function makeContainerImage({ busyboxPath }: Pick<BoxParts, "busyboxPath">): ContainerImage {
  const path = mkdtempSync(join(tmpdir(), "silk-container-"));
  const files = { "bin/busybox": readFileSync(busyboxPath), "srv/name": "the image\n" };
  const config = {
    Entrypoint: ["/bin/busybox", "sh", "-c"],
    Cmd: [
      'echo "$WHO"; busybox id -u; busybox cat name; busybox cat >/data/said; busybox cat /data/bytes; busybox cat name >&2; exit 7',
    ],
    Env: ["PATH=/bin", "WHO=somebody"],
    User: "1000:1000",
    WorkingDir: "/srv",
    StopSignal: "SIGUSR1",
  };
  writeOciLayout(path, [files], { tag: "1", config });
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
