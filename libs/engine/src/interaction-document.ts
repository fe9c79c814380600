import type { Json, JsonObject } from "./json.ts";

// What a definition lets others ask of a running execution, beside signals.

/** A request that changes the execution, or is refused, and has a reply. Its expressions see `update` beside what the workflow's output sees. */
export interface UpdateDefinition {
  name: string;
  /** JSON Schema (2020-12) of the payload; checked by the execution service. */
  inputSchema?: JsonObject;
  /** Expression: the update is refused when it does not give true. */
  when?: string;
  /** Template of a text: why it is refused then. */
  otherwise?: Json;
  /** Template of an object; its fields become `vars`. */
  set?: JsonObject;
  /** The payload is also a signal of this name, for the waits of the execution. */
  signal?: string;
  /** Template of that signal's key. */
  key?: Json;
  /** Index of a node that is in no loop: the reply is given when it is settled. Absent: at once. */
  after?: number;
  /** Template; absent: null, or with `after` that node's output. */
  reply?: Json;
}

/** A question that changes nothing. Its expressions see `query` beside what the workflow's output sees. */
export interface QueryDefinition {
  name: string;
  /** JSON Schema (2020-12) of the arguments; checked by the execution service. */
  inputSchema?: JsonObject;
  /** Template of the answer. */
  output: Json;
}
