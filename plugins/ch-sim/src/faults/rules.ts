import { checkNumber, checkObject, checkString, checkWord } from "../check.ts";

/** What happens instead of, or before, a call. */
export type FaultAction =
  /** The call is answered with a status and a body, and nothing is done. */
  | { readonly action: "fail"; readonly status: number; readonly body: string }
  /** The call is never answered, and everything after it waits. */
  | { readonly action: "hang" }
  /** The call is done as always, after a while. */
  | { readonly action: "slow"; readonly ms: number }
  /** The process ends with an exit code, without an answer. */
  | { readonly action: "exit"; readonly code: number }
  /** The process kills itself. */
  | { readonly action: "kill" }
  /** The guest ends the VMM while the call waits for its answer. */
  | { readonly action: "guest-exit" }
  /** The call is done and answered; the process then never ends, whatever it is told but SIGKILL. For `vmm.shutdown`. */
  | { readonly action: "answer-and-hang" };

/** When which fault happens. */
export type FaultRule = FaultAction & {
  /** The call's name without its path: `vm.boot`; `*` is any call. */
  readonly call: string;
  /** The only time at which it happens, counted from 1; every time where it is left out. */
  readonly nth: number | undefined;
};

const KEYS = ["call", "nth", "action", "status", "body", "ms", "code"] as const;
const ACTIONS = ["fail", "hang", "slow", "exit", "kill", "guest-exit", "answer-and-hang"] as const;

/** Checks a list of faults. Throws an Error that says which of them is wrong, and why. */
export function parseFaults(value: unknown): FaultRule[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Error("faults have to be a list");
  return value.map((item, index) => parseFault(item, `fault ${index + 1}`));
}

function parseFault(value: unknown, where: string): FaultRule {
  const given = checkObject(value, where, KEYS);
  const call = checkString(given["call"], `${where}: call`, undefined);
  if (call === undefined) throw new Error(`${where} has to name a call`);
  if (call !== "*" && !/^vmm?\.[a-z-]+$/.test(call))
    throw new Error(`${where}: "${call}" is no call, such as "vm.boot"`);
  const nth = checkNumber(given["nth"], `${where}: nth`, undefined);
  if (nth === 0) throw new Error(`${where}: nth counts from 1`);
  const action = checkWord(given["action"], `${where}: action`, ACTIONS, undefined);
  if (action === undefined) throw new Error(`${where} has to have an action`);
  return { call, nth, ...details(action, given, where) };
}

function details(
  action: (typeof ACTIONS)[number],
  given: Readonly<Record<string, unknown>>,
  where: string,
): FaultAction {
  switch (action) {
    case "fail": {
      const status = checkNumber(given["status"], `${where}: status`, 500);
      const body = given["body"] ?? ["Error from API", "Told to fail"];
      return { action, status, body: typeof body === "string" ? body : JSON.stringify(body) };
    }
    case "slow": {
      const ms = checkNumber(given["ms"], `${where}: ms`, undefined);
      if (ms === undefined) throw new Error(`${where} has to say how slow, in ms`);
      return { action, ms };
    }
    case "exit":
      return { action, code: checkNumber(given["code"], `${where}: code`, 1) };
    default:
      return { action };
  }
}
