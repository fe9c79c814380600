import { createInMemoryTransport, type Routes } from "@heddle/rpc";
import { createLogger } from "@heddle/telemetry";
import { onTestFinished } from "vitest";
import { type Client, createClient } from "../src/index.ts";

/** A client of these routes, in the namespace `sales`; its connection ends with the test. */
export function clientOf(routes: Routes): Client {
  const transport = createInMemoryTransport({ routes, logger: createLogger({ name: "test", level: "silent" }) });
  onTestFinished(() => transport.close());
  return createClient({ transport, namespace: "sales" });
}
