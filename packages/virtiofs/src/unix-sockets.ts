import type { Host } from "@silkvm/core";

/** What the kernel shows of the sockets that have one path for a name. */
export interface SocketUse {
  /** Whether somebody waits for connections. */
  readonly listening: boolean;
  /** Connections that somebody has, or waits for. */
  readonly clients: number;
}

/** Set on a socket that waits for connections: `__SO_ACCEPTCON` of the kernel. */
const acceptsConnections = 0x10000;

/**
 * Who listens on a socket, and how many are connected, by the name that its server gave it. Shows what belongs to a process's network
 * namespace: a listener belongs to that of its server, a connection to that of the client.
 * @param pid whose network namespace; default: this process's
 */
export async function socketUse(
  { files }: Pick<Host, "files">,
  path: string,
  pid?: number,
): Promise<SocketUse> {
  const table = await files.readText(`/proc/${pid ?? "self"}/net/unix`);
  const names = new Set([path, await files.realpath(path).catch(() => path)]);
  const rows = table.split("\n").flatMap((line) => {
    const { flags, name } = row.exec(line)?.groups ?? {};
    if (flags === undefined || name === undefined || !names.has(name)) return [];
    return { isListener: (Number.parseInt(flags, 16) & acceptsConnections) !== 0 };
  });
  const listeners = rows.filter(({ isListener }) => isListener).length;
  return { listening: listeners > 0, clients: rows.length - listeners };
}

const row = /^\w+: \w+ \w+ (?<flags>\w+) \w+ \w+ +\d+ (?<name>.+)$/;
