export { type ConformanceCase, conformanceCases, type ConformanceSetup } from "./cases.ts";
export { type ConformanceDevice, conformanceDevice } from "./device-cases.ts";
