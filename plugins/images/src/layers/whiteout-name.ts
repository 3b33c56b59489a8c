import { layerInvalid, shown } from "../errors.ts";
import type { Place } from "./layer-tree.ts";

const prefix = ".wh.";
const opaqueName = ".wh..wh..opq";

/**
 * What a name in a layer's archive says of the layers below: `.wh.NAME` hides what they have there, `.wh..wh..opq` all that they have in its directory. Undefined for a name
 * like any other.
 * @throws SilkError `LAYER_INVALID`
 */
export function readWhiteout(place: Place): Place | "opaque" | "nothing" | undefined {
  const { name, path } = place;
  if (!name.startsWith(prefix)) return undefined;
  if (name === opaqueName) return "opaque";
  // AUFS's own files, which nobody has any use for.
  if (name.startsWith(".wh..wh.")) return "nothing";
  const hidden = name.slice(prefix.length);
  if (hidden === "" || hidden === "." || hidden === "..")
    throw layerInvalid(`${shown(path)} removes nothing that has a name`);
  return { ...place, name: hidden, path: `${path.slice(0, -name.length)}${hidden}` };
}
