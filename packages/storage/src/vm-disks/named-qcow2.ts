/** A VMM is told an image's format by its name; that its content agrees is checked when the VM is made. */
export function isNamedQcow2(path: string): boolean {
  return path.endsWith(".qcow2");
}
