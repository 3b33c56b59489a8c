import { defineConfig } from "vitest/config";

/** One configuration for every package: sources are tested as they are written, without a build in between. */
export default defineConfig({
  resolve: { conditions: ["@silkvm/source"] },
  ssr: { resolve: { conditions: ["@silkvm/source"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    disableConsoleIntercept: true,
    reporters: ["default", ["json", { outputFile: ".report/vitest.json" }]],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
