const aborted = 130;
/** The program's own way out, also while a plugin is loaded, which has none. */
const exit = process.exit.bind(process);

type OnInterrupt = (signal: NodeJS.Signals, count: number) => void;

let controller: AbortController | undefined;
let taker: { readonly onInterrupt: OnInterrupt; count: number } | undefined;

/**
 * The signal that SIGINT and SIGTERM abort, so that what is under way is left in order. A second one ends the program at once.
 * Until this is called for the first time, they end the program as they do by default.
 */
export function interruptSignal(): AbortSignal {
  if (controller !== undefined) return controller.signal;
  const created = new AbortController();
  controller = created;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (taker !== undefined) {
      taker.count += 1;
      taker.onInterrupt(signal, taker.count);
      return;
    }
    if (created.signal.aborted) exit(aborted);
    created.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return created.signal;
}

/** Until it is disposed of, SIGINT and SIGTERM abort nothing, and are told to a function with their number, from 1. */
export function takeInterrupts(onInterrupt: OnInterrupt): Disposable {
  interruptSignal();
  taker = { onInterrupt, count: 0 };
  return { [Symbol.dispose]: () => (taker = undefined) };
}
