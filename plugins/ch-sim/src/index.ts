export { chSimEnv, type ChSimOptions, chSimPath } from "./tools.ts";
