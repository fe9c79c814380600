import type { QueryDefinition, UpdateDefinition } from "@heddle/engine";
import type { InteractionsDraft } from "../draft.ts";
import type { Graph } from "../graph/graph.ts";

/** What may be asked of executions, as the plan has it. */
export function planInteractions(
  { updates, queries }: InteractionsDraft,
  graph: Graph,
): { updates?: UpdateDefinition[]; queries?: QueryDefinition[] } {
  return {
    ...(updates.length === 0
      ? {}
      : {
          updates: updates.map(({ when, after, ...update }) => ({
            ...update,
            ...(when === undefined ? {} : { when: when.source }),
            ...(after === undefined ? {} : { after: graph.indices.get(after.id)! }),
          })),
        }),
    ...(queries.length === 0 ? {} : { queries }),
  };
}
