export { type ConformanceCase, conformanceCases, type ConformanceSetup } from "./cases.ts";
