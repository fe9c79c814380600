import type { JsonObject } from "@heddle/engine";

export interface CompileDefinitionOptions {
  /** Tools that are registered, by name. Without it tools are not checked. */
  knownTools?: ReadonlyMap<string, KnownTool>;
  /** Agents that are registered; those that the definition declares need not be among them. Without it agents are not checked. */
  knownAgents?: ReadonlySet<string>;
  /** Whether a workflow of this id is published. Without it sub-workflows are not checked. */
  workflowExists?: (workflowId: string) => boolean;
}

export interface KnownTool {
  /** JSON Schema (2020-12) of its inputs; the constant parts of `inputs` are checked against it. */
  inputSchema?: JsonObject;
}
