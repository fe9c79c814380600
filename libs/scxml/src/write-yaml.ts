import type { JsonObject } from "@heddle/engine";
import { Document, isCollection, isMap, visit } from "yaml";

/** Cells of a line that is written in braces. */
const FLOW_COLUMNS = 90;
/** What one would not write in braces, however short it is. */
const BLOCKS = new Set(["workflow", "states", "transitions"]);

/** The definition as a person would write it: short transitions and actions in braces, a line each. */
export function writeYaml(definition: JsonObject): string {
  const document = new Document(definition, { aliasDuplicateObjects: false });
  visit(document, {
    Pair(_key, { key, value }) {
      if (isCollection(value) && !BLOCKS.has(String(key)) && isShort(value.toJSON())) {
        value.flow = true;
        return visit.SKIP;
      }
      return undefined;
    },
    Map(_key, map, path) {
      const parent = path.at(-1);
      if (!isCollection(parent) || isMap(parent) || !isShort(map.toJSON())) return undefined;
      map.flow = true;
      return visit.SKIP;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function isShort(value: unknown): boolean {
  return JSON.stringify(value).length <= FLOW_COLUMNS;
}
