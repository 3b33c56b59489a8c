import * as v from "valibot";
import { diskPlace, mostDisks, type Place, portCount, portId } from "./layout.ts";

const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(portCount - 1));
const index = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(mostDisks - 1));
const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(mostDisks));

/** Where a disk is: on the root bus, as one of so many, or in a port. */
export const diskSiteSchema = v.union([
  v.strictObject({ index, of: count }),
  v.strictObject({ port }),
]);
export const portSchema = port;

export type DiskSite = Readonly<v.InferOutput<typeof diskSiteSchema>>;

export function placeOfSite(site: DiskSite): Place {
  return "port" in site ? { bus: portId(site.port) } : diskPlace(site.index, site.of);
}
