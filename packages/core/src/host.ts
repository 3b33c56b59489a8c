import type { Duplex } from "node:stream";

/** Options of every call that can take time. */
export interface CallOptions {
  /** Ends the call early. What has been done by then is undone or finished by the next command that meets it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The machine that silk works on: everything that the engine and the backends do to it goes through this one interface.
 * Linux is one implementation (`linuxHost()` of `@silkvm/sys`); tests wrap it to count effects, to fail the n-th one,
 * and to stop at the n-th one as `kill -9` would (`@silkvm/core/testing`).
 * Failures of the operating system are thrown as Node's errors, with their errno in `code`.
 */
export interface Host {
  readonly files: HostFiles;
  readonly processes: HostProcesses;
  readonly locks: HostLocks;
  readonly clock: HostClock;
  readonly random: HostRandom;
  /** Facts that do not change while the program runs. */
  readonly facts: HostFacts;
  /**
   * Opens a SQLite database. With `readOnly` nothing at all is written: no file is created, and a directory that
   * cannot be written is no obstacle. A file that is not there is ENOENT when `readOnly`, else it is created with mode 0600.
   * A file that is no database, or a damaged one, is thrown with code `ERR_SQLITE_ERROR` and SQLite's number in `errcode`.
   */
  openDatabase(path: string, options: { readonly readOnly: boolean }): HostDatabase;
  /**
   * Whether a living program has bound the Unix stream socket of this path. Nobody is connected to by asking: a server that takes one client and
   * ends with it is left as it is. False where there is no such socket; EACCES where it may not be written to.
   */
  isListening(path: string): Promise<boolean>;
  /** Connects to a Unix socket. */
  connect(path: string, options?: CallOptions): Promise<Duplex>;
  /** Opens a terminal device (a PTY's path) for reading and writing, in raw mode. */
  openTerminal(path: string, options?: CallOptions): Promise<HostTerminal>;
  /** The passage for an effect that a library brings about by itself, such as an HTTP call to a VMM: counted, and failed, like the others. */
  effect<T>(name: string, run: () => Promise<T>): Promise<T>;
}

/** A terminal: a stream, and the size of the window behind it. */
export interface HostTerminal extends Duplex {
  /** Tells the other side the size of the window; unsupported terminals ignore it. */
  resize(size: { readonly rows: number; readonly columns: number }): void;
}

/** What does not change while the program runs. */
export interface HostFacts {
  /** CPUs that this process may use. */
  readonly cpus: number;
  /** Physical memory. */
  readonly memoryBytes: number;
  /** The kernel's random id of this boot: an identity from another boot is a dead process. */
  readonly bootId: string;
  readonly uid: number;
  readonly arch: string;
  readonly cpu: HostCpu;
  /** What a guest can be given of the CPU's features, leaf by leaf; undefined where that cannot be asked (no KVM, no permission, no x86). */
  readonly guestCpuid: readonly CpuidEntry[] | undefined;
}

/** A CPU, as the kernel tells it; empty where it does not. */
export interface HostCpu {
  /** Such as `GenuineIntel`. */
  readonly vendor: string;
  /** Such as `AMD EPYC 9654 96-Core Processor`. */
  readonly model: string;
  /** Names of features, such as `avx2`. */
  readonly flags: readonly string[];
}

/** What the CPUID instruction gives for one leaf and subleaf: words of 32 bits. */
export interface CpuidEntry {
  readonly leaf: number;
  readonly subleaf: number;
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

/** What a path leads to. */
export type FileKind =
  | "file"
  | "directory"
  | "symlink"
  | "socket"
  | "character-device"
  | "block-device"
  | "fifo";

/** What a file is. */
export interface FileStat {
  readonly kind: FileKind;
  readonly sizeBytes: number;
  /** Bytes that the file takes on the disk: less than its size where it has holes. */
  readonly allocatedBytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** Id of the user who owns it. */
  readonly uid: number;
  readonly device: number;
  readonly inode: number;
  readonly modifiedMs: number;
}

/** The host's files. Failures are Node's errors, with their errno in `code`. */
export interface HostFiles {
  /** Follows symlinks. Undefined where nothing is there. */
  stat(path: string): Promise<FileStat | undefined>;
  /** The path with every symlink resolved. */
  realpath(path: string): Promise<string>;
  /** Whether this process may read or write the file. */
  canAccess(path: string, how: "read" | "write" | "execute"): Promise<boolean>;
  /** Names in a directory, sorted; empty where there is no such directory. */
  list(path: string): Promise<readonly string[]>;
  /** Creates a directory and its parents; an existing one is fine, and keeps its mode. */
  mkdir(path: string, options: { readonly mode: number }): Promise<void>;
  readText(path: string): Promise<string>;
  /** At most `length` bytes from `offset`; fewer, or none, at the file's end. */
  readRange(path: string, offset: number, length: number): Promise<Uint8Array>;
  /** Writes a whole file so that a reader sees the old or the new content, never a half: temporary file, fsync, rename. */
  writeAtomic(
    path: string,
    content: string | Uint8Array,
    options: { readonly mode: number },
  ): Promise<void>;
  /**
   * Writes to a file that is there, in one go and without cutting it: what the kernel's files below /sys take for a command. What the kernel
   * answers is thrown. ENOENT where it is not there.
   */
  writeInPlace(path: string, content: string): Promise<void>;
  /** Creates a file of holes. EEXIST where it is there. ENOSPC is thrown before anything is left behind. */
  createSparse(path: string, sizeBytes: number, options: { readonly mode: number }): Promise<void>;
  /** Copies a file, sharing its blocks where the file system can and keeping its holes elsewhere. EEXIST where the target is there. */
  copy(from: string, to: string, options?: CallOptions): Promise<void>;
  /** Whether the files of a directory can share blocks, so that a copy takes neither time nor room. Leaves nothing in it. */
  sharesBlocks(directory: string): Promise<boolean>;
  /** Gives a file a second name (a hard link). EEXIST where the target is there, EXDEV on another file system. */
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  /** Removes a file, or a directory with all that is in it (symlinks are not followed). What is not there is fine. */
  remove(path: string): Promise<void>;
  /** Waits until the content of a file, or the names in a directory, are on the disk. */
  sync(path: string): Promise<void>;
  /** `read`: an existing file, for reading. `create`: a new file, for both; EEXIST where it is there. `update`: an existing file, for both. Follows no symlink. */
  open(
    path: string,
    how: "read" | "create" | "update",
    options?: { readonly mode?: number | undefined },
  ): Promise<HostFile>;
  /** Room on the file system that holds the path (or its nearest existing parent). */
  space(
    path: string,
  ): Promise<{ readonly freeBytes: number; readonly totalBytes: number; readonly type: string }>;
}

/** A file that is open. Positions and lengths are bytes. */
export interface HostFile extends AsyncDisposable {
  stat(): Promise<FileStat>;
  /** Fills the buffer from a position; fewer bytes, or none, at the file's end. Resolves to their number. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Writes all of the bytes. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Cuts the file, or lets it grow by a hole. */
  truncate(sizeBytes: number): Promise<void>;
  /** The next stretch at or after a position that is not a hole, up to where one begins; undefined where only holes follow. */
  nextData(position: number): Promise<{ readonly start: number; readonly end: number } | undefined>;
  /** Turns a stretch into a hole, which reads as zeros. ENOTSUP where the file system has none. */
  punchHole(position: number, length: number): Promise<void>;
  /** Reserves room for a stretch. ENOSPC where there is none, ENOTSUP where the file system cannot. */
  allocate(position: number, length: number): Promise<void>;
  /** Waits until the content is on the disk. */
  sync(): Promise<void>;
}

/** Who a process is: a bare pid may be somebody else's by now. */
export interface ProcessIdentity {
  readonly bootId: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly startTime: number;
}

/** How a process ended. */
export interface ProcessExit {
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A process to start. */
export interface SpawnRequest {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  /** Receives stdout and stderr, appended; created with mode 0600. */
  readonly logPath: string;
  /** Path of the network namespace to start in. */
  readonly netnsPath?: string | undefined;
}

/** A process that outlives its maker: own session, output to a file, no descriptor of ours. */
export interface SpawnedProcess {
  readonly identity: ProcessIdentity;
  /** Undefined while it runs; set once this process, its parent, has seen its end. */
  readonly exit: ProcessExit | undefined;
}

/** A program to run to its end. */
export interface ToolRequest extends CallOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly input?: string | undefined;
  /** Default 60,000. */
  readonly timeoutMs?: number | undefined;
}

/** What a program that was run to its end has said. */
export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that was found. */
export interface RunningProcess {
  readonly identity: ProcessIdentity;
  readonly argv: readonly string[];
}

/** A process, and a file that it has open. */
export interface FileOpener {
  readonly path: string;
  readonly process: RunningProcess;
}

/** The host's processes. */
export interface HostProcesses {
  /** This process. */
  self(): ProcessIdentity;
  /** Starts a process that survives this one. Resolves once it is running; ENOENT or EACCES where the program cannot be started. */
  spawn(request: SpawnRequest): Promise<SpawnedProcess>;
  /** Runs a program to its end, without a shell, in the C locale. An exit code other than 0 is no error; ENOENT, a time-out (ETIMEDOUT) and an abort are. */
  run(request: ToolRequest): Promise<ToolResult>;
  /** Who runs under this pid now; undefined where nobody does. */
  identify(pid: number): ProcessIdentity | undefined;
  /** Whether this very process runs. A zombie is dead, and so is everything of another boot. */
  isAlive(identity: ProcessIdentity): boolean;
  /** Sends a signal to this very process and to no other. False where it is dead. */
  signal(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean>;
  /** Waits until this very process is dead. False where the time passed first. */
  waitForExit(
    identity: ProcessIdentity,
    options: CallOptions & { readonly timeoutMs: number },
  ): Promise<boolean>;
  /** Living processes of this machine whose arguments satisfy the test. */
  find(test: (argv: readonly string[]) => boolean): Promise<readonly RunningProcess[]>;
  /** The full path of a program, by PATH or as given; undefined where it is not there or not executable. */
  which(command: string): Promise<string | undefined>;
  /** Living processes, apart from this one, that have one of the files open, by their real paths. Those of other users are seen by root alone. */
  openers(paths: readonly string[]): Promise<readonly FileOpener[]>;
  /** Living processes that hold a file lock (flock, POSIX or OFD) on the file, apart from this one. */
  lockHolders(path: string): Promise<readonly RunningProcess[]>;
}

/** A lock that is held, until it is disposed of or its process ends. */
export interface HostLock extends AsyncDisposable {
  /** Gives the lock back. Idempotent. */
  release(): Promise<void>;
}

/** Locks between processes, which end with their holders. */
export interface HostLocks {
  /**
   * Takes the lock of one byte of a file, which ends with its holder: an OFD lock. Exclusive, or with `shared` beside others that share it. Two holders in one
   * process exclude each other too.
   * @returns undefined where `waitMs` passed first (0: at once; Infinity: never). The file is created where it is not there, with mode 0600.
   */
  acquire(
    path: string,
    offset: number,
    options: CallOptions & { readonly waitMs: number; readonly shared?: boolean | undefined },
  ): Promise<HostLock | undefined>;
  /** Whether somebody, this process included, holds the lock now. Takes nothing, and works on a file that cannot be written. */
  isHeld(path: string, offset: number): Promise<boolean>;
}

/** The host's time. */
export interface HostClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some moment, never going back. */
  monotonicMs(): number;
  /** Resolves after a time; rejects with the signal's reason when it aborts. */
  delay(ms: number, options?: CallOptions): Promise<void>;
}

/** Random numbers. */
export interface HostRandom {
  bytes(count: number): Uint8Array;
}

/** What a column of SQLite holds. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** A prepared statement of a database. */
export interface HostStatement {
  run(...values: SqlValue[]): { readonly changes: number; readonly lastInsertRowid: number };
  get(...values: SqlValue[]): Record<string, SqlValue> | undefined;
  all(...values: SqlValue[]): Record<string, SqlValue>[];
}

/** A SQLite database in WAL mode, with foreign keys on and a busy time-out of 5 s. */
export interface HostDatabase extends Disposable {
  exec(sql: string): void;
  /** Statements are cached by their text. */
  prepare(sql: string): HostStatement;
  /**
   * Runs the function in one IMMEDIATE transaction: committed when it returns, rolled back when it throws.
   * `durable` waits until the commit is on the disk, so that it survives a power failure.
   */
  transaction<T>(run: () => T, options?: { readonly durable?: boolean }): T;
  close(): void;
}
