import type { JsonObject } from "@heddle/engine";
import { CHART, CHART_DEFINITIONS } from "./charts.ts";
import { INTERACTION_DEFINITIONS } from "./interactions.ts";
import { NODE_DEFINITIONS } from "./nodes.ts";
import {
  type Schema,
  anyObject,
  choose,
  duration,
  flag,
  id,
  list,
  object,
  oneOf,
  oneOrMore,
  ref,
  template,
  text,
  whole,
} from "./parts.ts";
import { START_DEFINITIONS } from "./starts.ts";

const HEADER: Record<string, Schema> = {
  id: id("Names the workflow."),
  name: text("For people."),
  description: text("For people."),
  type: text("dag or state_machine."),
  version: { description: "A label for people.", type: ["string", "number", "boolean"] },
  input: object("What an execution is given.", { schema: anyObject("JSON Schema 2020-12.") }),
  input_schema: anyObject("Instead of `input`: JSON Schema 2020-12."),
  output: template("What it gives."),
  labels: { description: "Free-form, for lists.", type: "object", additionalProperties: { type: "string" } },
  agents: list("Agents of this definition; nodes name them by id.", { type: "object", required: ["id"] }),
};

/**
 * The dialect as a JSON Schema (draft 07), for editors: fields, their types and what they mean. Whether ids exist, expressions
 * make sense and everything can run is said by `compileDefinition` alone.
 */
export function createDefinitionSchema(): JsonObject {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Heddle workflow",
    ...object("A definition.", { workflow: ref("workflow") }, ["workflow"]),
    definitions: {
      workflow: {
        type: "object",
        required: ["id", "type"],
        properties: { type: oneOf("A graph of nodes, or a statechart.", ["dag", "state_machine"]) },
        allOf: choose("type", { dag: ref("dag"), state_machine: ref("state_machine") }),
      },
      dag: object(
        "A graph of nodes.",
        {
          ...HEADER,
          timeout: duration("Of the whole execution."),
          retention: duration("How long executions are kept after their end."),
          priority: whole("0 (first) to 9 (last).", 0, 9),
          schedules: list("Times at which it starts by itself.", ref("schedule")),
          triggers: list("Events at which it starts by itself.", ref("trigger")),
          updates: list("Requests that change a running execution, with a reply.", ref("update")),
          queries: list("Questions that change nothing.", ref("query")),
          nodes: list("The steps.", ref("node")),
          on_error: oneOrMore(
            "What becomes of the whole when it is to fail, before anything is undone.",
            ref("workflow_error_handler"),
          ),
          compensation: object("How steps are undone.", {
            on_cancel: flag("false: a cancel leaves what has completed as it is."),
            on_failure: oneOf(
              "When a step cannot be undone: `fail` leaves the rest, `continue` undoes it all the same.",
              ["fail", "continue"],
            ),
          }),
          cleanup_timeout: duration(
            "For undoing steps and `finally` together; 1h without it when canceled, else unlimited.",
          ),
          finally: object(
            "What runs at the end of every execution, whatever that is.",
            { nodes: list("The steps.", ref("node")), timeout: duration("Of all of them.") },
            ["nodes"],
          ),
        },
        ["nodes"],
      ),
      state_machine: object(
        "A statechart.",
        {
          ...HEADER,
          ...CHART,
          binding: oneOf("When the data of states is made: with the machine, or when a state is first entered.", [
            "early",
            "late",
          ]),
          on_unexpected_event: oneOf("What becomes of an event that enables nothing.", ["drop", "refuse", "queue"]),
        },
        ["states"],
      ),
      ...NODE_DEFINITIONS,
      ...START_DEFINITIONS,
      ...INTERACTION_DEFINITIONS,
      ...CHART_DEFINITIONS,
    },
  };
}
