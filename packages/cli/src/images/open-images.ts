import type { Images } from "@silkvm/images";
import type { OpenEngine } from "../engine.ts";

/** The images of the engine's root directory. Their package is loaded here and not before. */
export async function openImagesOf({
  engine,
  host,
}: Pick<OpenEngine, "engine" | "host">): Promise<Images> {
  const { openImages } = await import("@silkvm/images");
  return openImages({
    host,
    rootDir: engine.config.rootDir,
    references: () => engine.blobReferences(),
  });
}
