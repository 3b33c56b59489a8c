import { setTimeout as delay } from "node:timers/promises";

import type { CommandLine } from "./args/command-line.ts";
import { VmmError } from "./errors.ts";
import { FaultInjector } from "./faults/injector.ts";
import { sys } from "./host/native.ts";
import type { HttpRequest } from "./http/parser.ts";
import type { HttpResponse } from "./http/response.ts";
import { answer, apiError, callError, callName } from "./http/routes.ts";
import { settings } from "./settings.ts";
import { Landlock } from "./vm/landlock.ts";
import { Vmm } from "./vm/vmm.ts";

/** Never settles; the process is ended from elsewhere, if at all. */
const forever = <T>(): Promise<T> => new Promise(() => undefined);

/** The VMM of this process, with what serves calls to it. */
export function makeService(line: CommandLine, ending: PromiseWithResolvers<void>): Service {
  const host = { end: () => ending.resolve(), noShutdown: line.count("no-shutdown") > 0 };
  return new Service(new Vmm(host, new Landlock()), ending);
}

/** Does what the arguments ask for, by the same calls that the API makes. */
export async function bootFromArguments(line: CommandLine, service: Service): Promise<void> {
  const { vmm } = service;
  const call = async (
    outer: string,
    message: string,
    name: string,
    step: () => Promise<void>,
  ): Promise<void> => {
    try {
      await service.inTurn(step);
    } catch (error) {
      throw error instanceof VmmError
        ? new VmmError(outer, message, callError(name, error))
        : error;
    }
  };
  if (line.count("kernel") > 0 || line.count("firmware") > 0) {
    const { configFromArguments } = await import("./args/vm-config.ts");
    const config = parsed("ParsingConfig", "Error parsing config", () => configFromArguments(line));
    await sys();
    await call("VmCreate", "Error creating VM", "vm.create", () => vmm.create(config));
    await call("VmBoot", "Error booting VM", "vm.boot", () => vmm.boot());
  } else {
    const text = line.one("restore");
    if (text === undefined) return;
    const { parseRestore } = await import("./args/restore.ts");
    const request = parsed("ParsingRestore", "Error parsing restore", () => parseRestore(text));
    await sys();
    await call("VmRestore", "Error restoring VM", "vm.restore", () => vmm.restore(request));
  }
}

function parsed<T>(name: string, message: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof VmmError ? new VmmError(name, message, error) : error;
  }
}

/** Serves calls, with the faults that it was told to have. */
export class Service {
  readonly vmm: Vmm;
  readonly #ending: PromiseWithResolvers<void>;
  readonly #faults = new FaultInjector(settings().faults, settings().controlFile);
  #turn: Promise<void> = Promise.resolve();
  hangs = false;

  constructor(vmm: Vmm, ending: PromiseWithResolvers<void>) {
    this.vmm = vmm;
    this.#ending = ending;
  }

  /** The VMM does one thing at a time, whoever asks for it. */
  async inTurn<T>(step: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const turn = Promise.withResolvers<void>();
    this.#turn = turn.promise;
    await before;
    try {
      return await step();
    } finally {
      turn.resolve();
    }
  }

  async handle(request: HttpRequest): Promise<HttpResponse> {
    const name = callName(request);
    const fault = name === undefined ? undefined : this.#faults.next(name);
    switch (fault?.action) {
      case "fail":
        return { status: fault.status, body: fault.body };
      case "hang":
        return forever();
      case "slow":
        await delay(fault.ms);
        break;
      case "exit":
        process.exit(fault.code);
        break;
      case "kill":
        process.kill(process.pid, "SIGKILL");
        return forever();
      case "guest-exit":
        setImmediate(() => this.#ending.resolve());
        return apiError(500, [
          "Error from API",
          "API response receive error",
          "receiving on a closed channel",
        ]);
      case "answer-and-hang":
        this.hangs = true;
        break;
      default:
        break;
    }
    try {
      if (name === "vmm.shutdown") return this.#shutDown(request);
      await sys();
      return await this.inTurn(() => answer(this.vmm, name, request));
    } catch (error) {
      this.#ending.reject(error);
      return forever();
    }
  }

  #shutDown(request: HttpRequest): HttpResponse {
    if (request.method !== "PUT") return apiError(400, ["Bad Request"]);
    // The answer has to be out before the process ends.
    setImmediate(() => this.#ending.resolve());
    return { status: 200, body: undefined };
  }
}
