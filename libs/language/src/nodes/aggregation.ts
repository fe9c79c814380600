import type { NodeBody } from "../draft.ts";
import { readTemplate } from "./reader.ts";
import type { NodeReader } from "./reader.ts";

const STRATEGIES = ["merge", "collect"] as const;

/** What it aggregates: its declared dependencies in the order in which they are written, or what `inputs` gives. */
export function readAggregation(reader: NodeReader): NodeBody {
  const { fields } = reader;
  fields.require("subtype", "merge makes one object of the outputs, collect a list");
  const strategy = fields.oneOf("subtype", STRATEGIES) ?? "collect";
  const inputs = fields.find("inputs") === undefined ? undefined : readTemplate(reader, "inputs");
  const dependencies = fields.find("dependencies");
  const isEmpty = dependencies === undefined || (dependencies.kind === "list" && dependencies.items.length === 0);
  if (inputs === undefined && isEmpty) {
    fields.report.add(
      "no-branches",
      fields.map,
      `${fields.what} has nothing to aggregate`,
      'name the nodes in "dependencies", or give a list in "inputs"',
    );
  }
  return { kind: "aggregation", strategy, ...(inputs === undefined ? {} : { inputs: inputs.value }) };
}
