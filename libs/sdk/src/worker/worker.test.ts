import { createInMemoryTransport } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { expect, it } from "vitest";
import { runWorkerSuite } from "../../test/worker-suite.ts";
import { createWorker } from "../index.ts";

runWorkerSuite("a transport within the process", async ({ routes }) => {
  const transport = createInMemoryTransport({ routes, logger: createLogger({ name: "test", level: "silent" }) });
  return { transport, close: async () => transport.close() };
});

it("refuses options that cannot work, and says why", () => {
  const handler = () => null;
  expect(() => createWorker({})).toThrow("a worker without handlers runs nothing");
  expect(() => createWorker({ handlers: { a: handler }, slots: 0 })).toThrow("slots must be an integer from 1");
  expect(() => createWorker({ handlers: { a: { handler, maxConcurrent: 0.5 } } })).toThrow('maxConcurrent of "a"');
  expect(() => createWorker({ handlers: { a: { handler, inputSchema: { type: "nothing" } } } })).toThrow(
    'inputSchema of "a" is no JSON Schema',
  );
  expect(() => createWorker({ handlers: { a: "text" as never } })).toThrow('handler "a" must be a function');
  expect(() => createWorker({ handlers: { ["x".repeat(129)]: handler } })).toThrow("must have 1 to 128 characters");
});
