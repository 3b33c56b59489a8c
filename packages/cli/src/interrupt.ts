const aborted = 130;

let controller: AbortController | undefined;

/**
 * The signal that SIGINT and SIGTERM abort, so that what is under way is left in order. A second one ends the program at once.
 * Until this is called for the first time, they end the program as they do by default.
 */
export function interruptSignal(): AbortSignal {
  if (controller !== undefined) return controller.signal;
  const created = new AbortController();
  controller = created;
  const onSignal = (): void => {
    if (created.signal.aborted) process.exit(aborted);
    created.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return created.signal;
}
