import { definePlugin } from "@silkvm/core";
import { backend } from "./backend.ts";

export default definePlugin({ name: "silk-example", apiVersion: 1, backends: [backend] });
