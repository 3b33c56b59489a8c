/**
 * The one class of undici that is needed, at the path where undici keeps it. undici has no `exports` map, so the path is
 * reachable, and its own types name the class at the package's entrance only.
 */
declare module "undici/lib/dispatcher/client.js" {
  export { Client as default } from "undici";
}
