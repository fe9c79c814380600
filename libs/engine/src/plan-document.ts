import type { WorkflowErrorHandler } from "./error-document.ts";
import type { QueryDefinition, UpdateDefinition } from "./interaction-document.ts";
import type { Json, JsonObject } from "./json.ts";
import type { PlanNode } from "./plan-node.ts";

/**
 * The compiled form of a definition: what `definition` publishes and `execution` runs. It is plain JSON, so that it
 * can be stored, hashed and sent; `linkPlan` turns it into the indexed form with compiled expressions.
 * It is validated once, at publish; the engine trusts it and refuses only an unknown `format`.
 */
export interface PlanDocument {
  format: "heddle.plan/1";
  workflowId: string;
  type: "dag";
  name?: string;
  description?: string;
  /** JSON Schema (2020-12) of the input; checked by the execution service at start. */
  inputSchema?: JsonObject;
  /** For lists and selectors of definitions. */
  labels?: Record<string, string>;
  /** In document order. A node refers to others by their index in this list. */
  nodes: PlanNode[];
  /** Template of the workflow's output; without it the output is an object of the outputs of the nodes that nothing depends on, by id. */
  output?: Json;
  /** Agents that the definition itself declares, by id. */
  agents?: Record<string, JsonObject>;
  /** From start to end of the whole execution, milliseconds; absent: unlimited. */
  timeoutMs?: number;
  /** How long an execution is kept after its end, milliseconds; absent: as its namespace says. The engine does nothing about it. */
  retentionMs?: number;
  /** 0 (first) to 9 (last); absent: 5. A start may override it. */
  priority?: number;
  /** What may be asked of a running execution, by name. */
  updates?: UpdateDefinition[];
  /** What may be asked of an execution at any time, by name. */
  queries?: QueryDefinition[];
  compensation?: CompensationPolicy;
  /** What becomes of the execution when it is to fail: the first that matches the failure says it. */
  onError?: WorkflowErrorHandler[];
  /** For compensation and `finally` together, milliseconds; absent: DEFAULT_CLEANUP_TIMEOUT_MS when canceled, else unlimited. */
  cleanupTimeoutMs?: number;
  /** The plan is the body of a map: where its expressions find what is around it. */
  surroundings?: Surroundings;
  /** Bodies that stand in maps, by the id of the map: each the plan of the workflow `<workflow id>.<id of the map>`, which its items run. */
  bodies?: Record<string, PlanDocument>;
}

/** What an item's input holds besides the item: see `MapNode.captures`. */
export interface Surroundings {
  itemName: string;
  /** The item, `index`, nodes and the like, which come before fields of what flows in. `input` and `vars` are not among them. */
  names: string[];
  /** Those of `names` that are nodes: their ids are written with dashes. */
  nodeIds: string[];
}

export interface CompensationPolicy {
  /** Whether a cancel undoes what has completed; absent: it does. */
  onCancel?: boolean;
  /** When a step cannot be undone: the rest stays as it is (`fail`, also when absent), or is undone all the same (`continue`). */
  onFailure?: "fail" | "continue";
}
