import type { PlanDocument } from "@heddle/engine";
import type { ChartDocument } from "@heddle/statechart";
import type { Diagram } from "./diagram.ts";
import { drawChart } from "./draw-chart.ts";
import { drawPlan } from "./draw-plan.ts";

/** What a compiled definition looks like. */
export function draw(document: PlanDocument | ChartDocument): Diagram {
  return document.type === "dag" ? drawPlan(document) : drawChart(document);
}
