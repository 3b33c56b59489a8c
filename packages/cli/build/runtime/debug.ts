interface Debug {
  (...words: unknown[]): void;
  readonly namespace: string;
  readonly enabled: boolean;
  extend(namespace: string, delimiter?: string): Debug;
}

/** The package `debug` with nothing switched on: where DEBUG is set, silk is run without the bundle. */
export default function createDebug(namespace: string): Debug {
  const debug = (): void => {};
  return Object.assign(debug, {
    namespace,
    enabled: false,
    extend: (suffix: string, delimiter = ":") => createDebug(`${namespace}${delimiter}${suffix}`),
  });
}
