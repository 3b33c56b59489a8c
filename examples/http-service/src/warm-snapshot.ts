import { type Engine, isSilkError, type VmSpec } from "@silkvm/core";
import { askGuest } from "./ask-guest.ts";

const askAgainMs = 2_000;

/**
 * A snapshot of a VM that has booted and is ready to work: made once, then there for every start of the service. Its clones go on from there, so
 * no request waits for a boot.
 */
export async function warmSnapshot(
  engine: Engine,
  name: string,
  spec: VmSpec,
  signal: AbortSignal,
): Promise<void> {
  try {
    await engine.snapshots.inspect(name, { signal });
    return;
  } catch (error) {
    if (!isSilkError(error) || error.code !== "SNAPSHOT_NOT_FOUND") throw error;
  }
  // However this ends, the VM is gone at the end of the function. Its snapshot lives on.
  await using vm = await engine.create(spec, { dispose: "delete", signal });
  await vm.start({ signal });
  await guestIsReady();
  await vm.save({ name, signal });

  async function guestIsReady(): Promise<void> {
    for (;;) {
      try {
        // A guest that is still booting may miss what is typed.
        await askGuest(
          vm,
          "echo ready",
          AbortSignal.any([signal, AbortSignal.timeout(askAgainMs)]),
        );
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error;
      }
    }
  }
}
