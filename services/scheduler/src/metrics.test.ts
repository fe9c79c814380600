import { createMetrics } from "@heddle/telemetry";
import { expect, it } from "vitest";
import { registerMetrics } from "./metrics.ts";

it("counts from 0, so that the first task that is lost is an increase to Prometheus", () => {
  const metrics = createMetrics();
  registerMetrics(metrics);
  expect(metrics.text()).toContain("\nheddle_scheduler_lost_total 0\n");
});
