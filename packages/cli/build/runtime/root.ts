import { dirname } from "node:path";

/** The directory of silk's own package: the bundle is in its `dist/bundle`. */
export const packageRoot: string = dirname(dirname(__dirname));
