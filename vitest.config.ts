import { defineConfig } from "vitest/config";

// Two projects: `unit` needs nothing but Node, `integration` starts Postgres, servers and processes.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["{libs,services}/*/src/**/*.test.ts", "test/{architecture,contract}/**/*.test.ts"] } },
      {
        test: {
          name: "integration",
          include: ["{libs,services}/*/test/**/*.test.ts", "test/{e2e,interop,replay,simulation,chaos,bench}/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
