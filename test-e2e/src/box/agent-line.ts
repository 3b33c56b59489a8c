import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Answer, Request } from "./protocol.ts";

/** The line to the agent in the host. */
export interface AgentLine extends Disposable {
  /** Resolves once the agent is there. */
  readonly ready: Promise<void>;
  ask(request: Request): Promise<Answer>;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** An answer comes this much after its program's deadline at the latest. */
const graceMs = 15_000;

/** Waits at a socket for the box to connect to it. */
export async function listenForAgent(socketPath: string): Promise<AgentLine> {
  const waiting = new Map<number, Waiting>();
  const ready = Promise.withResolvers<void>();
  // Nobody may be waiting for it any more when it fails.
  ready.promise.catch(() => undefined);
  waiting.set(0, { resolve: () => ready.resolve(), reject: ready.reject });
  let box: Socket | undefined;
  let asked = 0;

  const server: Server = createServer((socket) => {
    box = socket;
    createInterface({ input: socket }).on("line", (line) => {
      const answer = JSON.parse(line) as Answer;
      waiting.get(answer.id)?.resolve(answer);
      waiting.delete(answer.id);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      for (const asker of waiting.values()) asker.reject(new Error("the box has ended"));
      waiting.clear();
    });
  });
  await once(server.listen(socketPath), "listening");

  return {
    ready: ready.promise,
    ask: (request) => {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      if (box === undefined || box.destroyed) throw new Error("the box does not run");
      const id = (asked += 1);
      waiting.set(id, { resolve, reject });
      const timer = setTimeout(
        () => reject(new Error(`the box does not answer: ${JSON.stringify(request)}`)),
        request.timeoutMs + graceMs,
      );
      box.write(`${JSON.stringify({ ...request, id })}\n`);
      return promise.finally(() => clearTimeout(timer));
    },
    [Symbol.dispose]: () => {
      box?.destroy();
      server.close();
    },
  };
}
