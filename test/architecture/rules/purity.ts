import { isBuiltin } from "node:module";
import { isTest, isWithin, packageName, type Rule } from "../rule.ts";
import type { SourceFile, SourceTree } from "../source-tree.ts";

const PURE_LIBS = ["engine", "statechart", "expression", "language", "diagram", "scxml"];
const PURE_SOURCES = PURE_LIBS.map((name) => `libs/${name}/src/**`);

/** Packages that compute and do nothing else: no file, socket, clock or randomness. Look inside before you add one. */
const PURE_PACKAGES = new Set([
  ...PURE_LIBS.map((name) => `@heddle/${name}`),
  "@heddle/errors",
  // Asks for time zones, and for dates of times that it is given: never for the time.
  "@heddle/schedule",
  "@bufbuild/cel",
  "@bufbuild/cel-spec",
  "@bufbuild/protobuf",
  "@bufbuild/re2",
  "ajv",
  "ajv-formats",
  "saxes",
  "yaml",
]);

/** What a replay on another machine, on another day, would see differently, and every way to wait. */
const AMBIENT = new Set([
  "Date",
  "Math.random",
  "performance",
  "crypto",
  "process",
  "globalThis",
  "console",
  "Intl",
  "async",
  "await",
  "Promise",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "fetch",
  "WebSocket",
  "require",
]);

/** Packages through which domain rules would reach a disk or a network. */
const IO_PACKAGES = new Set([
  "@heddle/store",
  "@heddle/journal",
  "@heddle/events",
  "@heddle/rpc",
  "@heddle/sdk",
  "@connectrpc/connect",
  "@connectrpc/connect-node",
  "@grpc/grpc-js",
  "knex",
  "pg",
]);

function pureSources(tree: SourceTree): SourceFile[] {
  return tree.sources.filter((file) => isWithin(file.path, PURE_SOURCES) && !isTest(file.path));
}

export const pureImports: Rule = {
  id: "pure-imports",
  rule: `${PURE_LIBS.join(", ")} import nothing that does I/O`,
  why: "the cores decide from state and command alone: only then does a replay of the journal give the state that was stored",
  remedy:
    "take the value as an argument, or return an obligation that the runtime fulfils; a package that only computes may be added to PURE_PACKAGES in test/architecture/rules/purity.ts",
  check: (tree) =>
    pureSources(tree).flatMap((file) =>
      file.syntax.imports
        .filter(({ specifier }) => {
          if (isBuiltin(specifier)) return true;
          const name = packageName(specifier);
          return name !== undefined && !PURE_PACKAGES.has(name);
        })
        .map(({ specifier, line }) => ({ file: file.path, line, what: `imports ${specifier}` })),
    ),
};

export const pureNames: Rule = {
  id: "pure-names",
  rule: `${PURE_LIBS.join(", ")} use no clock, no randomness, no process and nothing asynchronous`,
  why: "the same events must give the same state on every machine and on every day, in one synchronous turn",
  remedy: "pass `now` and seeds in with the command; what must happen outside is an obligation, not a call",
  check: (tree) =>
    pureSources(tree).flatMap((file) =>
      file.syntax.references
        .filter(({ name }) => AMBIENT.has(name))
        .map(({ name, line }) => ({ file: file.path, line, what: `uses ${name}` })),
    ),
};

export const pureDomain: Rule = {
  id: "pure-domain",
  rule: "services/*/src/domain does no I/O",
  // It may implement an interface of the runtime: a type loads nothing.
  why: "the rules of a service must be readable and testable without its database, its peers and its disk",
  remedy: "load in the handler, decide in the domain, write in the store",
  check: (tree) =>
    tree.sources
      .filter((file) => isWithin(file.path, ["services/*/src/domain/**"]) && !isTest(file.path))
      .flatMap((file) =>
        file.syntax.imports
          .filter(({ specifier, isType }) => !isType && (isIo(specifier) || /(^|\/)store(\/|$)/.test(specifier)))
          .map(({ specifier, line }) => ({ file: file.path, line, what: `imports ${specifier}` })),
      ),
};

/** `node:crypto` hashes, `node:util` and `node:path` compare: they touch nothing outside. */
function isIo(specifier: string): boolean {
  if (isBuiltin(specifier)) return !["node:crypto", "node:path", "node:util"].includes(specifier);
  return IO_PACKAGES.has(packageName(specifier) ?? "");
}
