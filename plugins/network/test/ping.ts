import type { Peer } from "./peer.ts";

/** A guest's end of a NIC. */
export interface Address {
  readonly mac: string;
  readonly ip: string;
}

const arp = 0x0806;
const ipv4 = 0x0800;
const icmp = 1;
const echoRequest = 8;
const echoReply = 0;

/** Lets a peer do what the network of a guest does: it answers who asks for its address, and who pings it. */
export async function answer(peer: Peer, own: Address): Promise<never> {
  for (let at = 0; ; at++) {
    const frame = await peer.frame(at);
    const type = frame.readUInt16BE(12);
    if (type === arp && frame.readUInt16BE(20) === 1 && ipAt(frame, 38) === own.ip)
      peer.send(arpFrame(2, own, { mac: macAt(frame, 6), ip: ipAt(frame, 28) }));
    if (type === ipv4 && isEcho(frame, echoRequest) && ipAt(frame, 30) === own.ip)
      peer.send(
        echoFrame(
          echoReply,
          own,
          { mac: macAt(frame, 6), ip: ipAt(frame, 26) },
          frame.subarray(38),
        ),
      );
  }
}

/** Pings an address as a guest does: asks whose it is, and sends an echo there. Resolves once the answer has come. */
export async function ping(peer: Peer, own: Address, ip: string): Promise<void> {
  const isAt = async (request: Buffer, test: (frame: Buffer) => boolean): Promise<Buffer> => {
    peer.send(request);
    const again = setInterval(() => peer.send(request), 50);
    try {
      for (let at = 0; ; at++) {
        const frame = await peer.frame(at);
        if (test(frame)) return frame;
      }
    } finally {
      clearInterval(again);
    }
  };
  const asked = arpFrame(1, own, { mac: "ff:ff:ff:ff:ff:ff", ip });
  const told = await isAt(
    asked,
    (frame) =>
      frame.readUInt16BE(12) === arp && frame.readUInt16BE(20) === 2 && ipAt(frame, 28) === ip,
  );
  const body = Buffer.concat([Buffer.from([0x53, 0x1c, 0, 1]), Buffer.from("silk".repeat(8))]);
  await isAt(
    echoFrame(echoRequest, own, { mac: macAt(told, 6), ip }, body),
    (frame) =>
      frame.readUInt16BE(12) === ipv4 &&
      isEcho(frame, echoReply) &&
      ipAt(frame, 26) === ip &&
      ipAt(frame, 30) === own.ip &&
      frame.subarray(38, 38 + body.length).equals(body),
  );
}

function isEcho(frame: Buffer, kind: number): boolean {
  return frame[23] === icmp && frame[34] === kind;
}

function arpFrame(operation: 1 | 2, from: Address, to: Address): Buffer {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, operation]);
  const asked = operation === 1 ? Buffer.alloc(6) : toMac(to.mac);
  const body = [head, toMac(from.mac), toIp(from.ip), asked, toIp(to.ip)];
  return ethernet(to.mac, from.mac, arp, Buffer.concat(body));
}

/** @param rest id, sequence number and content of the echo */
function echoFrame(kind: number, from: Address, to: Address, rest: Buffer): Buffer {
  const echo = Buffer.concat([Buffer.from([kind, 0, 0, 0]), rest]);
  echo.writeUInt16BE(checksum(echo), 2);
  const head = Buffer.alloc(20);
  head.writeUInt16BE(0x4500, 0);
  head.writeUInt16BE(head.length + echo.length, 2);
  head[8] = 64;
  head[9] = icmp;
  toIp(from.ip).copy(head, 12);
  toIp(to.ip).copy(head, 16);
  head.writeUInt16BE(checksum(head), 10);
  return ethernet(to.mac, from.mac, ipv4, Buffer.concat([head, echo]));
}

function ethernet(to: string, from: string, type: number, body: Buffer): Buffer {
  const kind = Buffer.from([type >> 8, type & 0xff]);
  return Buffer.concat([toMac(to), toMac(from), kind, body]);
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2)
    sum += at + 1 < bytes.length ? bytes.readUInt16BE(at) : (bytes[at] as number) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

function toMac(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(":", ""), "hex");
}

function toIp(ip: string): Buffer {
  return Buffer.from(ip.split(".").map(Number));
}

function macAt(frame: Buffer, at: number): string {
  return (frame.toString("hex", at, at + 6).match(/../g) ?? []).join(":");
}

function ipAt(frame: Buffer, at: number): string {
  return [...frame.subarray(at, at + 4)].join(".");
}
