export { netResize as netResizeCapability, type NetResize, type VmmNic } from "@silkvm/core";
export { netResize, type NetResizeRequest, type NetResizeResult } from "./net-resize.ts";
export { planResize, type ResizePlan } from "./plan-resize.ts";
