import { basename } from "node:path/posix";
import { isWithin, type Finding, type Rule } from "../rule.ts";
import { walk, type SyntaxNode } from "../syntax.ts";

const MAX_LINES = 500;
const MAX_MAIN_LINES = 120;
const COMPOSITION_ROOTS = ["services/*/src/main.ts", "deploy/dev/main.ts"];

/** Lines as an editor counts them. */
function countLines(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

export const smallFiles: Rule = {
  id: "small-files",
  rule: `no source file has more than ${MAX_LINES} lines`,
  why: "a file of that size is at least two things, and nobody reads it in one sitting",
  remedy: "split it by what changes together; tables of test data belong into testdata/",
  check: (tree) =>
    tree.sources
      .map((file) => ({ file: file.path, line: countLines(file.text) }))
      .filter(({ line }) => line > MAX_LINES)
      .map((found) => ({ ...found, what: `has ${found.line} lines` })),
};

export const shortMain: Rule = {
  id: "short-main",
  rule: `a composition root (${COMPOSITION_ROOTS.join(", ")}) has at most ${MAX_MAIN_LINES} lines`,
  why: "main.ts only reads configuration and puts parts together: what it decides itself no test reaches",
  remedy: "move the logic into a module with a test; leave the wiring",
  check: (tree) =>
    tree.sources
      .filter((file) => isWithin(file.path, COMPOSITION_ROOTS))
      .map((file) => ({ file: file.path, line: countLines(file.text) }))
      .filter(({ line }) => line > MAX_MAIN_LINES)
      .map((found) => ({ ...found, what: `has ${found.line} lines` })),
};

export const tellingNames: Rule = {
  id: "telling-names",
  rule: "no file is named utils, helpers or the like",
  why: "a name that fits everything collects everything, and nothing in it can be found",
  remedy: "name the file after its main export: page-token.ts, retry-delay.ts",
  check: (tree) =>
    tree.sources
      .filter((file) => /^(utils?|helpers?|misc|common|shared)(\.test)?\.ts$/.test(basename(file.path)))
      .map(({ path }) => ({ file: path, line: 1, what: `is named ${basename(path)}` })),
};

export const kebabCase: Rule = {
  id: "kebab-case",
  rule: "folders and source files have kebab-case names",
  why: "one spelling can be typed from memory, and file systems that ignore case cannot split it in two",
  remedy: "rename it: one-thing.ts, one-thing.test.ts",
  check: (tree) =>
    tree.sources
      .filter((file) => !file.path.split("/").every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/.test(part)))
      .map(({ path }) => ({ file: path, line: 1, what: "has another name" })),
};

/** Syntax that Node would have to translate, not only strip. */
const NOT_ERASABLE: Readonly<Record<string, (node: SyntaxNode) => string | undefined>> = {
  TSEnumDeclaration: (node) => (node["declare"] === true ? undefined : "declares an enum"),
  TSParameterProperty: () => "has a parameter property",
  Decorator: () => "has a decorator",
  TSModuleDeclaration: (node) => (node["declare"] === true ? undefined : "declares a namespace"),
  TSImportEqualsDeclaration: () => "uses import =",
  TSExportAssignment: () => "uses export =",
};

export const erasableSyntax: Rule = {
  id: "erasable-syntax",
  rule: "no enums, parameter properties, decorators, namespaces, `import =` or `export =`",
  why: "Node runs the sources by stripping types; these need a compiler and fail at load",
  remedy: "use a union of literals or an `as const` object, a field, a function, a module",
  check: (tree) =>
    tree.sources.flatMap((file) => {
      const found: Finding[] = [];
      walk(file.syntax.program, (node) => {
        const what = NOT_ERASABLE[node.type]?.(node);
        if (what !== undefined) found.push({ file: file.path, line: file.syntax.lineOf(node.start), what });
      });
      return found;
    }),
};

/** Each with a letter in brackets, or this line would find itself. */
const MARKERS = /\b(T[O]DO|FIX[M]E|XX[X]|HAC[K])\b/;

export const nothingLeftOver: Rule = {
  id: "nothing-left-over",
  rule: "no markers of unfinished work",
  why: "a marker in the code is a promise that nobody tracks",
  remedy: "do it now, or open an issue; what is not there yet belongs into a document, in plain words",
  check: (tree) =>
    tree.files.flatMap((file) =>
      file.text.split("\n").flatMap((text, index) => {
        const marker = MARKERS.exec(text)?.[1];
        return marker === undefined ? [] : [{ file: file.path, line: index + 1, what: `says ${marker}` }];
      }),
    ),
};
