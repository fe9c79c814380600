import { existsSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { lineOfText, type Finding, type Rule } from "../rule.ts";
import type { SourceTree } from "../source-tree.ts";

const DECISIONS = "docs/decisions/";

function textOf(tree: SourceTree, path: string): string {
  return tree.files.find((file) => file.path === path)?.text ?? "";
}

export const dependenciesRecorded: Rule = {
  id: "dependencies-recorded",
  rule: "every dependency has its line in docs/decisions/dependencies.md",
  why: "a dependency is a decision: somebody will ask what it is for and what else there was",
  remedy: "add a line: the package, what it is for, what else was looked at",
  check(tree) {
    const recorded = recordedPackages(textOf(tree, `${DECISIONS}dependencies.md`));
    return tree.packages.flatMap(({ manifest, manifestPath, manifestText }) =>
      Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies })
        // Types go with the package that they describe.
        .filter((name) => !name.startsWith("@heddle/") && !name.startsWith("@types/"))
        .filter((name) => !recorded.has(name))
        .map((name) => ({
          file: manifestPath,
          line: lineOfText(manifestText, `"${name}":`),
          what: `declares ${name}, which is not recorded`,
        })),
    );
  },
};

/** The names in the first column. A cell may name several packages of one scope: `@scope/a, b`. */
function recordedPackages(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, cell = ""] of text.matchAll(/^\| *([^|]+?) *\|/gm)) {
    const scope = /^@[^/]+/.exec(cell)?.[0];
    for (const name of cell.split(/, */)) {
      names.add(name);
      if (scope !== undefined) names.add(`${scope}/${name}`);
    }
  }
  return names;
}

export const decisionsListed: Rule = {
  id: "decisions-listed",
  rule: "docs/decisions/README.md lists every page beside it",
  why: "a decision that nobody finds is taken again",
  remedy: "add a row to the table",
  check(tree) {
    const index = textOf(tree, `${DECISIONS}README.md`);
    return tree.files
      .filter(({ path }) => path.startsWith(DECISIONS) && path.endsWith(".md") && !path.endsWith("README.md"))
      .filter(({ path }) => !index.includes(`(${path.slice(DECISIONS.length)})`))
      .map(({ path }) => ({ file: path, line: 1, what: "is not listed" }));
  },
};

export const pathsResolve: Rule = {
  id: "paths-resolve",
  rule: "a path that a document names in backticks is there",
  why: "a page that says where something is proven is believed until somebody looks",
  remedy: "write the path from the root, or from the page",
  check: (tree) =>
    tree.files
      .filter(({ path }) => path.endsWith(".md"))
      .flatMap((page) =>
        page.text.split("\n").flatMap((text, index): Finding[] =>
          [...text.matchAll(/`((?:libs|services|deploy|docs|test|scripts|proto|helm|examples)\/[\w./-]+)`/g)]
            .map(([, target = ""]) => target)
            .filter(
              (target) =>
                ![tree.root, join(tree.root, dirname(page.path))].some((from) => existsSync(join(from, target))),
            )
            .map((target) => ({ file: page.path, line: index + 1, what: `names ${target}` })),
        ),
      ),
};

export const linksResolve: Rule = {
  id: "links-resolve",
  rule: "a link in a document leads to a file that is there",
  why: "a newcomer who follows a dead link stops trusting the page",
  remedy: "mend the path, relative to the page that links",
  check: (tree) =>
    tree.files
      .filter(({ path }) => path.endsWith(".md"))
      .flatMap((page) =>
        page.text.split("\n").flatMap((text, index): Finding[] =>
          [...text.matchAll(/\]\(([^)\s]+)\)/g)]
            .map(([, target = ""]) => target.split("#", 1)[0] ?? "")
            .filter((target) => target !== "" && !/^[a-z]+:/.test(target))
            .filter((target) => !existsSync(join(tree.root, dirname(page.path), target)))
            .map((target) => ({ file: page.path, line: index + 1, what: `links to ${target}` })),
        ),
      ),
};
