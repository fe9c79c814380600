import { defineConfig } from "vitest/config";

// Two projects: `unit` needs nothing but Node and stays fast; `integration` starts Postgres, servers and processes.
export default defineConfig({
  test: {
    // A test that hangs fails by name, long before the whole run is stopped.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 20_000,
    // One file more that passes because nobody imported the right thing is worse than a failure.
    passWithNoTests: false,
    unstubEnvs: true,
    restoreMocks: true,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          // Files share what they import: half of the time went into loading the same modules again. A unit test leaves nothing behind.
          isolate: false,
          include: [
            "{libs,services}/*/src/**/*.test.ts",
            "{scripts,deploy,test/architecture,test/contract,test/docs}/**/*.test.ts",
          ],
        },
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["{libs,services}/*/test/**/*.test.ts", "test/{e2e,interop,chaos,bench,helm,image}/**/*.test.ts"],
          // Stops the database servers that tests start and share.
          globalSetup: "@heddle/testing/global-setup",
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Two files that each start Postgres and measure recovery on two cores would only test the machine.
          fileParallelism: false,
        },
      },
    ],
  },
});
