/** QEMU refused a command. */
export class QmpError extends Error {
  override readonly name = "QmpError";
  readonly command: string;
  /** QEMU's class of it, such as `GenericError` or `DeviceNotFound`. */
  readonly errorClass: string;

  constructor(command: string, errorClass: string, description: string) {
    super(description);
    this.command = command;
    this.errorClass = errorClass;
  }
}

/** QEMU closed the connection, or never took one. */
export class QmpClosedError extends Error {
  override readonly name = "QmpClosedError";
  /** `ECONNREFUSED`, `ENOENT`, `EACCES`, … where there was no connection. */
  readonly code: string | undefined;

  constructor(
    message: string,
    options: { readonly code?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = options.code;
  }
}

/** QEMU did not answer in time. */
export class QmpTimeoutError extends Error {
  override readonly name = "QmpTimeoutError";

  constructor(what: string, timeoutMs: number) {
    super(`${what}: no answer within ${timeoutMs} ms`);
  }
}
