import { definePlugin } from "@silkvm/core";
import { policy } from "./policy.ts";

export default definePlugin({
  name: "silk-example",
  apiVersion: 1,
  hooks: {
    "vm:before-create": ({ spec }) => policy(spec.labels),
    "vm:before-clone": ({ labels }) => policy(labels),
    "operation:end": ({ id, verb, ref, error }) => {
      if (error !== undefined)
        process.stderr.write(`silk-example: ${verb} ${ref ?? ""} (${id}): ${error.code}\n`);
    },
  },
});
