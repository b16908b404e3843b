import { configDefaults, defineConfig } from "vitest/config";

const processSuites = "packages/server/test/process/**/*.test.ts";
const interopSuites = "packages/server/test/interop/**/*.test.ts";

/** Suites that start server processes: two at a time, each with its own data directory and ports of its own. */
const withProcesses = { isolate: false, maxWorkers: 2, testTimeout: 120_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/{src,test}/**/*.test.ts", "docs/**/*.test.ts", "bench/**/*.test.ts"],
          exclude: [...configDefaults.exclude, processSuites, interopSuites],
          isolate: false,
        },
      },
      { test: { name: "process", include: [processSuites], ...withProcesses } },
      { test: { name: "interop", include: [interopSuites], ...withProcesses } },
    ],
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/*.suite.ts", "**/test-*.ts", "packages/testing/**"],
      reporter: ["text", "json-summary"],
      reportOnFailure: true,
      thresholds: { "packages/protocol/src/**": { branches: 95 } },
    },
  },
});
