import { dirname, join } from "node:path/posix";
import { lineOfText, type Finding, type Rule } from "../rule.ts";
import type { SourceTree } from "../source-tree.ts";

/** Node → the nodes it leads to, with the line where it says so. */
type Graph = ReadonlyMap<string, ReadonlyMap<string, number>>;

export const noFileCycles: Rule = {
  id: "no-import-cycles",
  rule: "files import each other in no circle; imports of types count",
  why: "modules of a circle can only be understood, loaded and moved all at once",
  remedy: "move what both sides need (often only types) into a file of its own that imports neither",
  check: (tree) =>
    findCycles(fileGraph(tree)).map(({ path, line }) => ({
      file: path[0] ?? "",
      line,
      what: `circle: ${path.join(" → ")}`,
    })),
};

export const noPackageCycles: Rule = {
  id: "no-package-cycles",
  rule: "packages depend on each other in no circle",
  why: "packages of a circle are one package with several names: none can be versioned or tested alone",
  remedy: "turn one dependency around with an interface, or move the shared part into a third package",
  check: (tree) =>
    findCycles(packageGraph(tree)).map(({ path, line }): Finding => {
      const first = tree.packages.find(({ manifest }) => manifest.name === path[0]);
      return { file: first?.manifestPath ?? "package.json", line, what: `circle: ${path.join(" → ")}` };
    }),
};

function fileGraph(tree: SourceTree): Graph {
  const known = new Set(tree.sources.map(({ path }) => path));
  const indexOf = new Map(tree.packages.map(({ manifest, folder }) => [manifest.name, `${folder}/src/index.ts`]));
  return new Map(
    tree.sources.map((file) => {
      const edges = new Map<string, number>();
      for (const { specifier, line } of file.syntax.imports) {
        const target = specifier.startsWith(".") ? join(dirname(file.path), specifier) : indexOf.get(specifier);
        if (target !== undefined && known.has(target) && !edges.has(target)) edges.set(target, line);
      }
      return [file.path, edges];
    }),
  );
}

/** Development dependencies count: npm installs and tools order packages by them too. */
function packageGraph(tree: SourceTree): Graph {
  const ours = new Set(tree.packages.map(({ manifest }) => manifest.name));
  return new Map(
    tree.packages.map(({ manifest, manifestText }) => {
      const declared = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
      const edges = declared.filter((name) => ours.has(name));
      return [manifest.name, new Map(edges.map((name) => [name, lineOfText(manifestText, `"${name}":`)]))];
    }),
  );
}

/** One circle for each edge that closes one in a depth-first walk: enough to see them all disappear one by one. */
function findCycles(graph: Graph): { path: string[]; line: number }[] {
  const cycles: { path: string[]; line: number }[] = [];
  const finished = new Set<string>();
  const trail: string[] = [];
  const visit = (node: string): void => {
    trail.push(node);
    for (const next of graph.get(node)?.keys() ?? []) {
      const at = trail.indexOf(next);
      if (at !== -1) {
        const path = [...trail.slice(at), next];
        cycles.push({ path, line: graph.get(next)?.get(path[1] ?? next) ?? 1 });
      } else if (!finished.has(next)) visit(next);
    }
    trail.pop();
    finished.add(node);
  };
  for (const node of graph.keys()) if (!finished.has(node)) visit(node);
  return cycles;
}
