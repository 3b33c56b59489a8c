import { type Disk, type Nic, SilkError } from "@silkvm/core";

/** What a guest is told about itself by cloud-init, at its first boot. */
export interface SeedRequest {
  /** Another one makes cloud-init begin anew: a clone gets one of its own. */
  readonly instanceId: string;
  readonly hostname: string;
  /** A user to make, with sudo. Default: the distribution's own. There is never a password. */
  readonly user?: string | undefined;
  /** Public keys, as in `authorized_keys`. */
  readonly sshKeys?: readonly string[] | undefined;
  /** The user's own user-data, which is not changed: `#cloud-config`, a script, or whatever cloud-init takes. */
  readonly userData?: string | Uint8Array | undefined;
  readonly nics: readonly Pick<Nic, "mac" | "address">[];
  readonly dns?: readonly string[] | undefined;
  /** Data disks with a mount point are mounted there. */
  readonly disks?: readonly Pick<Disk, "role" | "serial" | "mountPoint" | "fstype">[] | undefined;
}

/** A file of the NoCloud data source, by its name. */
export type SeedFiles = Readonly<Record<string, string | Uint8Array>>;

/** The most that the user's own user-data may have. */
export const largestUserDataBytes: number = 16 * 1024 ** 2;
const keyPattern =
  /^(?:ssh-|ecdsa-sha2-|sk-ssh-|sk-ecdsa-)[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3}(?: [^\r\n]*)?$/;
const userPattern = /^[a-z_][a-z0-9_-]{0,31}$/;

/**
 * The files of a NoCloud seed. What silk has to say is user-data; where the user brings user-data of their own it is vendor-data, which theirs overrides.
 * @throws SilkError `INVALID_SSH_KEY`, `INVALID_USER`, `INVALID_USER_DATA`
 */
export function seedFiles(request: SeedRequest): SeedFiles {
  const { instanceId, hostname, sshKeys = [], userData, nics } = request;
  checkGuestConfig(request);
  const keys = sshKeys.map((key) => key.trim());
  const metaData = {
    "instance-id": instanceId,
    "local-hostname": hostname,
    // Whatever the user's own user-data says, the keys reach the default user.
    ...(keys.length === 0 ? {} : { "public-keys": keys }),
  };
  const own = cloudConfig(request, keys);
  return {
    "meta-data": yaml(metaData),
    ...(userData === undefined
      ? { "user-data": own }
      : { "user-data": userData, "vendor-data": own }),
    ...(nics.length === 0 ? {} : { "network-config": yaml(networkConfig(request)) }),
  };
}

function cloudConfig({ hostname, user, disks = [] }: SeedRequest, keys: readonly string[]): string {
  const mounts = disks.flatMap(({ role, serial, mountPoint, fstype }) =>
    role === "data" && serial !== undefined && mountPoint !== undefined && fstype !== "none"
      ? [
          [
            `/dev/disk/by-id/virtio-${serial}`,
            mountPoint,
            fstype ?? "ext4",
            "defaults,nofail",
            "0",
            "2",
          ],
        ]
      : [],
  );
  const config = {
    hostname,
    ssh_pwauth: false,
    ...(user === undefined
      ? {}
      : {
          users: [
            {
              name: user,
              lock_passwd: true,
              shell: "/bin/bash",
              ...(user === "root" ? {} : { sudo: "ALL=(ALL) NOPASSWD:ALL" }),
              ...(keys.length === 0 ? {} : { ssh_authorized_keys: keys }),
            },
          ],
          ...(user === "root" ? { disable_root: false } : {}),
        }),
    ...(user === undefined && keys.length > 0 ? { ssh_authorized_keys: keys } : {}),
    ...(mounts.length === 0 ? {} : { mounts }),
  };
  return `#cloud-config\n${yaml(config)}`;
}

/** Version 2, by MAC: names of interfaces are the guest's own affair. */
function networkConfig({ nics, dns = [] }: SeedRequest): object {
  const ethernets = nics.map(({ mac, address }, index) => {
    const match = { macaddress: mac.toLowerCase() };
    const nameservers = dns.length === 0 ? {} : { nameservers: { addresses: dns } };
    // By MAC, because a clone has the machine id of its source until it makes one of its own.
    if (address === undefined)
      return [`id${index}`, { match, dhcp4: true, "dhcp-identifier": "mac", ...nameservers }];
    const { ip, gateway, prefix } = address;
    // Only one way out: the first interface's.
    const routes =
      gateway === "" || index > 0 ? {} : { routes: [{ to: "0.0.0.0/0", via: gateway }] };
    return [`id${index}`, { match, addresses: [`${ip}/${prefix}`], ...routes, ...nameservers }];
  });
  return { version: 2, ethernets: Object.fromEntries(ethernets) as object };
}

/** JSON is YAML, and needs no rules of its own for what to quote. */
function yaml(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * The host name for a VM's name: what systemd takes for one.
 */
export function hostnameOf(name: string): string {
  const labels = name
    .split(".")
    .map((label) => label.replaceAll("_", "-").replaceAll(/^-+|-+$/g, ""));
  return labels.filter((label) => label !== "").join(".");
}

/**
 * Checks what a guest is to be told.
 * @throws SilkError `INVALID_SSH_KEY`, `INVALID_USER`, `INVALID_USER_DATA`
 */
export function checkGuestConfig({
  user,
  sshKeys = [],
  userData,
}: Pick<SeedRequest, "user" | "sshKeys" | "userData">): void {
  if (user !== undefined && !userPattern.test(user))
    throw new SilkError(`${JSON.stringify(user)} is no name of a user`, {
      code: "INVALID_USER",
      kind: "invalid",
      hint: "Use lower-case letters, digits, dashes and underscores, at most 32, and begin with a letter.",
    });
  for (const key of sshKeys) {
    if (keyPattern.test(key.trim())) continue;
    const isPrivate = key.includes("PRIVATE KEY");
    throw new SilkError(
      isPrivate
        ? "that is a private SSH key"
        : `${JSON.stringify(key.slice(0, 40))} is no public SSH key`,
      {
        code: "INVALID_SSH_KEY",
        kind: "invalid",
        hint: "Give the public one, such as the content of ~/.ssh/id_ed25519.pub.",
      },
    );
  }
  if (userData === undefined) return;
  const bytes = typeof userData === "string" ? Buffer.from(userData) : userData;
  const why =
    bytes.length === 0
      ? "it is empty"
      : bytes.length > largestUserDataBytes
        ? `it is larger than ${largestUserDataBytes} bytes`
        : undefined;
  const begins = Buffer.from(bytes.subarray(0, 64)).toString("latin1");
  // cloud-init ignores what it does not know, and nobody notices.
  const isKnown =
    /^(?:#cloud-config|#!|#include|#cloud-boothook|#part-handler|#upstart-job|## template: ?jinja|Content-Type:|MIME-Version:|From )/i.test(
      begins,
    );
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (why === undefined && (isKnown || isGzip)) return;
  throw new SilkError(
    `the user-data is not what cloud-init takes: ${why ?? "its first line says nothing that cloud-init knows"}`,
    {
      code: "INVALID_USER_DATA",
      kind: "invalid",
      hint: "Begin it with #cloud-config, or with #! for a script.",
    },
  );
}
