/** How far a pull or an import is. */
export interface ImageProgress {
  /**
   * - `resolving`: what the name stands for is being found out
   * - `downloading`
   * - `verifying`: what was downloaded before is being looked at
   * - `converting`: a layer, or a disk, is being made into what a VM uses
   * - `done`
   */
  readonly phase: "resolving" | "downloading" | "verifying" | "converting" | "done";
  /** Digest of the layer, or the URL, that it is about. */
  readonly item?: string | undefined;
  /** Of so many items. */
  readonly index?: number | undefined;
  readonly total?: number | undefined;
  /** Bytes of the item so far. */
  readonly doneBytes?: number | undefined;
  readonly totalBytes?: number | undefined;
}
