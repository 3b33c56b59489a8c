import { deviceManager as deviceManagerError, VmmError } from "../errors.ts";
import { memoryManagerError } from "../memory/errors.ts";

/** Runs a step whose errors become those of another layer. */
export function wrapStep<T>(step: () => T, wrap: (source: VmmError) => VmmError): T {
  try {
    return step();
  } catch (error) {
    throw error instanceof VmmError ? wrap(error) : error;
  }
}

/** Runs a step of the memory manager. */
export function memoryStep<T>(step: () => T): T {
  return wrapStep(step, memoryManagerError);
}

/** Runs a check of the config. */
export function validationStep<T>(step: () => T): T {
  return wrapStep(
    step,
    (source) => new VmmError("ConfigValidation", "Failed to validate config", source),
  );
}

/** Waits for a step of the device manager. */
export async function deviceStep<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    throw error instanceof VmmError ? deviceManagerError(error) : error;
  }
}
