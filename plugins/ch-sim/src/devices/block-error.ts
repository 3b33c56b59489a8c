import { VmmError } from "../errors.ts";
import { quote } from "../json/content.ts";

const KINDS = {
  Io: "I/O error",
  InvalidFormat: "Invalid format",
  UnsupportedFeature: "Unsupported feature",
  Overflow: "Overflow",
} as const;

const OPS = { Open: "open", DetectImageType: "detect_image_type", Resize: "resize" } as const;

/** Where and at what a disk image failed. */
export interface BlockContext {
  readonly path?: string;
  readonly op?: keyof typeof OPS;
}

/** A fault in opening or changing a disk image. */
export function blockError(
  kind: keyof typeof KINDS,
  source: VmmError | undefined,
  context: BlockContext,
): VmmError {
  const parts = [
    ...(context.path === undefined ? [] : [`path=${context.path}`]),
    ...(context.op === undefined ? [] : [`op=${OPS[context.op]}`]),
  ];
  const shown = {
    path: context.path === undefined ? "None" : `Some(${quote(context.path)})`,
    op: context.op === undefined ? "None" : `Some(${context.op})`,
    source:
      source === undefined
        ? "None"
        : `Some(${source.detail === undefined ? source.name : source.name + source.detail})`,
  };
  const place =
    parts.length === 0
      ? "None"
      : `Some(ErrorContext { path: ${shown.path}, offset: None, op: ${shown.op} })`;
  return new VmmError(
    "BlockError",
    parts.length === 0 ? KINDS[kind] : `${KINDS[kind]} (${parts.join(" ")})`,
    source,
    ` { kind: ${kind}, source: ${shown.source}, ctx: ${place} }`,
  );
}

/** A file that ends before what was to be read of it. */
export function shortRead(): VmmError {
  return new VmmError(
    "Error",
    "failed to fill whole buffer",
    undefined,
    ' { kind: UnexpectedEof, message: "failed to fill whole buffer" }',
  );
}
