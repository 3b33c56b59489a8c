import { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { QmpClient } from "./client.ts";
import { QmpClosedError, QmpError, QmpTimeoutError } from "./errors.ts";

const greeting =
  '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": []}}';

interface Request {
  readonly execute: string;
  readonly id: number;
}

/** The other end of a connection: answers each command by what a test says, in lines. */
function qemu(answer: (request: Request) => readonly unknown[]): Duplex {
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      for (const line of chunk.toString().trim().split("\n")) {
        const request = JSON.parse(line) as Request;
        const lines =
          request.execute === "qmp_capabilities"
            ? [{ return: {}, id: request.id }]
            : answer(request);
        for (const one of lines) stream.push(`${JSON.stringify(one)}\r\n`);
      }
      done();
    },
  });
  setImmediate(() => stream.push(`${greeting}\r\n`));
  return stream;
}

it("greets, and answers each command by its id, whatever comes between and in what pieces", async () => {
  const late: Request[] = [];
  const stream = qemu((request) => {
    late.push(request);
    if (late.length < 2) return [];
    const [first, second] = late as [Request, Request];
    return [
      { event: "RESUME", data: {} },
      { return: second.execute, id: second.id },
      { return: first.execute, id: first.id },
    ];
  });
  const { client, version } = await QmpClient.open(stream);
  await using _ = client;
  expect(version).toEqual({ major: 7, minor: 2, micro: 22 });
  const events: string[] = [];
  using _events = client.onEvent(({ name }) => events.push(name));
  expect(await Promise.all([client.execute("one"), client.execute("two")])).toEqual(["one", "two"]);
  expect(events).toEqual(["RESUME"]);
});

it("takes an answer that comes byte by byte", async () => {
  const stream = qemu(() => []);
  const { client } = await QmpClient.open(stream);
  await using _ = client;
  const answer = client.execute("query-name");
  for (const byte of Buffer.from('{"return": {"name": "wéb"}, "id": 2}\r\n'))
    stream.push(Buffer.of(byte));
  expect(await answer).toEqual({ name: "wéb" });
});

it("tells a refusal in QEMU's words, and goes on", async () => {
  const stream = qemu(({ execute, id }) => [
    execute === "bad"
      ? { error: { class: "GenericError", desc: "no such thing" }, id }
      : { return: {}, id },
  ]);
  const { client } = await QmpClient.open(stream);
  await using _ = client;
  const refusal = await client.execute("bad").catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(QmpError);
  expect(refusal).toMatchObject({
    message: "no such thing",
    command: "bad",
    errorClass: "GenericError",
  });
  expect(await client.execute("good")).toEqual({});
});

it("tells a time-out, an abort and a connection that ends apart", async () => {
  const stream = qemu(() => []);
  const { client } = await QmpClient.open(stream);
  await using _ = client;
  await expect(client.execute("never", undefined, { timeoutMs: 10 })).rejects.toBeInstanceOf(
    QmpTimeoutError,
  );
  const abort = new AbortController();
  const aborted = client.execute("never", undefined, { signal: abort.signal });
  abort.abort(new Error("enough"));
  await expect(aborted).rejects.toThrow("enough");
  const waiting = client.execute("never");
  stream.push(null);
  await expect(waiting).rejects.toBeInstanceOf(QmpClosedError);
  await expect(client.execute("more")).rejects.toBeInstanceOf(QmpClosedError);
});

it("closes a connection on which nobody greets, and one on which something else than QMP is spoken", async () => {
  const silent = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  await expect(QmpClient.open(silent, { timeoutMs: 10 })).rejects.toBeInstanceOf(QmpTimeoutError);
  expect(silent.destroyed).toBe(true);
  const other = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  other.push("HTTP/1.1 400 Bad Request\r\n\r\n");
  await expect(QmpClient.open(other)).rejects.toBeInstanceOf(QmpClosedError);
});
