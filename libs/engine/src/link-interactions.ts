import type { FieldCompiler } from "./field.ts";
import type { LinkedQuery, LinkedUpdate } from "./plan.ts";
import type { PlanDocument } from "./plan-document.ts";

/** What may be asked of executions of a plan. */
export function linkInteractions(
  { updates = [], queries = [] }: PlanDocument,
  compiler: FieldCompiler,
): { updates: Map<string, LinkedUpdate>; queries: Map<string, LinkedQuery> } {
  return {
    updates: new Map(
      updates.map((definition) => {
        const { name, when, otherwise, set, key, reply } = definition;
        const linked: LinkedUpdate = {
          definition,
          ...(when !== undefined && { when: compiler.expression("when", when) }),
          ...(otherwise !== undefined && { otherwise: compiler.template("otherwise", otherwise) }),
          ...(set !== undefined && { set: compiler.template("set", set) }),
          ...(key !== undefined && { key: compiler.template("key", key) }),
          ...(reply !== undefined && { reply: compiler.template("reply", reply) }),
        };
        return [name, linked];
      }),
    ),
    queries: new Map(
      queries.map((definition) => {
        const { name, output } = definition;
        return [name, { definition, output: compiler.template("output", output) }];
      }),
    ),
  };
}
