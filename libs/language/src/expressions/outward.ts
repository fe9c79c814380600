import type { Capture } from "@heddle/engine";
import type { FoundReference, Outward } from "./found-reference.ts";

/** The names that the item itself has in its body. */
export function itemNames(itemName: string): string[] {
  return [itemName, "index"];
}

/** The reference as the map's surroundings see it, where the map stands for its body. */
export function seenFromAround(found: FoundReference, isOptional: boolean): FoundReference {
  const { reference, dashed, locate, outward } = found;
  const { name, path, nodeId, optional } = reference;
  const isField = nodeId === undefined && name !== "input" && name !== "vars";
  return {
    reference: { ...reference, optional: optional || isOptional },
    dashed,
    locate,
    outward: outward ?? { name, path, isNode: nodeId !== undefined, isField },
  };
}

/** What must be put into the input of an item, each name once. Parts of lists are not told apart. */
export function capturesOf(outward: readonly Outward[]): Capture[] {
  const paths = new Map<string, Map<string, string[]>>();
  for (const { name, path } of outward) {
    const known = paths.get(name) ?? new Map<string, string[]>();
    paths.set(name, known.set(path.join("\0"), [...path]));
  }
  return [...paths].map(([name, known]) => ({ name, paths: [...known.values()] }));
}
