/** The host's side of one of the guest's consoles. */
export interface Port {
  /** Takes what the guest writes. Never waits for a reader. */
  write(bytes: Buffer): void;
  /** Hears what is typed. */
  onInput(listener: (bytes: Buffer) => void): void;
  /** Gives back what the console is made of. */
  close(): void;
}

/** A console that takes everything and says nothing. */
export function nullPort(): Port {
  return { write: () => undefined, onInput: () => undefined, close: () => undefined };
}
