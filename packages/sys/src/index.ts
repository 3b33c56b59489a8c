export { allocate, nextData, nextHole, punchHole } from "./holes.ts";
export { linuxHost } from "./host/linux-host.ts";
export { lockRange } from "./lock-range-wait.ts";
export {
  type ByteRange,
  type HeldLock,
  queryLock,
  type RangeLock,
  tryLockRange,
  unlockRange,
} from "./lock-range.ts";
export { waitPidfd } from "./pidfd-wait.ts";
export { pidfdOpen, pidfdSendSignal } from "./pidfd.ts";
export { openPty, type Pty, setRawPty } from "./pty.ts";
export { reflink } from "./reflink.ts";
export { renameNoReplace } from "./rename-no-replace.ts";
export { SystemError } from "./system-error.ts";
export { getWindowSize, setWindowSize, type WindowSize } from "./window-size.ts";
