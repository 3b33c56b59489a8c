// What a program needs that only looks at a store and at processes, without the rest of the host port behind it.
export { openReadOnly } from "./host/database/read-only.ts";
export { isAlive } from "./host/processes/identity.ts";
