/** The virtio port between a test and the agent in the host; each message is a line of JSON. */
export const portName = "silk.box";

/** A program to be run in the host. */
export interface RunRequest {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  /** Keeps stdin open until this has been printed on stdout. */
  readonly until?: string | undefined;
  /** When it is killed. */
  readonly timeoutMs: number;
}

/** A shell script to be run in a guest, by the web server that listens there. Tried until that answers. */
export interface GuestRequest {
  readonly address: string;
  readonly script: string;
  readonly timeoutMs: number;
}

export type Request = RunRequest | GuestRequest;

/** How it ended. The first answer, to request 0, says that the host is up. */
export interface Answer {
  readonly id: number;
  /** 127 where it could not be run, 128 where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}
