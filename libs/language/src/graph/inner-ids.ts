import type { NodeDraft } from "../draft.ts";
import type { Report } from "../report.ts";
import type { Span } from "../source/source-node.ts";

/** Ids in the bodies of maps, at any depth, with the outermost map that each is in: they mean nothing around it. */
export function listInnerIds(nodes: readonly NodeDraft[]): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  for (const { id: mapId, body } of nodes) {
    if (body.kind !== "map" || body.itemBody === undefined) continue;
    for (const id of [...body.itemBody.nodes.map((node) => node.id), ...listInnerIds(body.itemBody.nodes).keys()]) {
      if (id !== "" && !ids.has(id)) ids.set(id, mapId);
    }
  }
  return ids;
}

/** There is one for each item, or none. */
export function reportInner(id: string, mapId: string, at: Span, report: Report): void {
  const message = `"${id}" is in the body of the map "${mapId}", and runs once for each item`;
  report.add("other-body", at, message, `name ${mapId} instead, whose output is the list of what its items give`);
}
