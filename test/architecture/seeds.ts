/** Files of a small tree: path → content. */
export type Files = Readonly<Record<string, string>>;

/** A change to the clean tree. */
export interface Seed {
  /** The rule that it is about. */
  readonly rule: string;
  readonly name: string;
  /** Laid over the clean tree. */
  readonly files: Files;
}

/** A change that breaks a rule, and where the rule must say so: `path:line` of every finding. */
export interface Violation extends Seed {
  readonly at: readonly string[];
}

function manifest(name: string, dependencies: Record<string, string> = {}, more: Record<string, unknown> = {}): string {
  const content = { name, private: true, exports: { ".": "./src/index.ts" }, dependencies, ...more };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const lines = (count: number): string => "// line\n".repeat(count);

function lockFile(...installed: string[]): string {
  const tool = { optionalDependencies: { "@tool/linux": "1.0.0", "@tool/darwin": "1.0.0" } };
  const packages = Object.fromEntries(installed.map((name) => [`node_modules/${name}`, { optional: true }]));
  return JSON.stringify({ packages: { "node_modules/host/node_modules/tool": tool, ...packages } }, null, 2);
}

/** A tree in miniature that keeps every rule. */
export const CLEAN: Files = {
  "package.json": manifest("heddle", {}, { exports: undefined, devDependencies: { vitest: "5.1.1", pg: "8.23.1" } }),
  "package-lock.json": lockFile("@tool/linux", "@tool/darwin"),
  "docs/decisions/README.md": "[dependencies](dependencies.md)\n",
  "docs/decisions/dependencies.md": "| vitest | tests |\n| knex, pg | queries |\n| @bufbuild/protobuf | messages |\n",
  "libs/errors/package.json": manifest("@heddle/errors"),
  "libs/errors/src/index.ts": "export const kind = 1;\n",
  "libs/engine/package.json": manifest("@heddle/engine", { "@heddle/errors": "*" }),
  "libs/engine/src/index.ts": 'export * from "./decide.ts";\n',
  "libs/engine/src/decide.ts":
    'import { kind } from "@heddle/errors";\nexport const decide = (now: number) => now + kind;\n',
  "libs/store/package.json": manifest("@heddle/store", { knex: "3.3.0" }),
  "libs/store/src/index.ts": 'import type { Knex } from "knex";\nexport type Database = Knex;\n',
  "libs/proto/package.json": manifest(
    "@heddle/proto",
    { "@bufbuild/protobuf": "2.17.0" },
    { exports: { "./*": "./src/*" } },
  ),
  "libs/proto/src/a_pb.js":
    'import { messageDesc } from "@bufbuild/protobuf/codegenv2";\nexport const A = messageDesc;\n',
  "services/execution/package.json": manifest("@heddle/execution-service", { "@heddle/engine": "*" }),
  "services/execution/src/index.ts": 'export { decide } from "@heddle/engine";\n',
  "services/definition/package.json": manifest("@heddle/definition-service"),
  "services/definition/src/index.ts": "export const publish = 1;\n",
  "deploy/dev/main.ts": 'import { publish } from "@heddle/definition-service";\nexport const all = [publish];\n',
};

/** For every rule the ways to break it that a reviewer would have to notice otherwise. */
export const VIOLATIONS: readonly Violation[] = [
  {
    rule: "pure-imports",
    name: "a builtin, with and without its prefix, and for its types only",
    files: {
      "libs/engine/src/decide.ts":
        'import fs from "node:fs";\nimport "crypto";\nimport type { Socket } from "node:net";\nexport type S = Socket | typeof fs;\n',
      "libs/engine/src/late.ts": 'export const load = import("node:os");\n',
    },
    at: [
      "libs/engine/src/decide.ts:1",
      "libs/engine/src/decide.ts:2",
      "libs/engine/src/decide.ts:3",
      "libs/engine/src/late.ts:1",
    ],
  },
  {
    rule: "pure-imports",
    name: "a package that may do I/O, and one of ours that does",
    files: {
      "libs/language/package.json": manifest("@heddle/language", { "@heddle/store": "*", undici: "1.0.0" }),
      "libs/language/src/index.ts": 'import "undici";\nexport type { Database } from "@heddle/store";\n',
    },
    at: ["libs/language/src/index.ts:1", "libs/language/src/index.ts:2"],
  },
  {
    rule: "pure-names",
    name: "clock, randomness, process and timers",
    files: {
      "libs/engine/src/decide.ts": [
        "export const now = Date.now();",
        "export const dice = Math.random();",
        "export const { random } = Math;",
        "export const pid = process.pid;",
        "setTimeout(() => {}, 1);",
        "export const later = globalThis.setTimeout;",
      ].join("\n"),
    },
    at: [1, 2, 3, 4, 5, 6].map((line) => `libs/engine/src/decide.ts:${line}`),
  },
  {
    rule: "pure-names",
    name: "anything asynchronous",
    files: {
      "libs/statechart/src/step.ts": [
        "export async function a() {}",
        "export const b = () => Promise.resolve(1);",
        "export type C = Promise<number>;",
        "await b();",
      ].join("\n"),
    },
    at: [1, 2, 3, 4].map((line) => `libs/statechart/src/step.ts:${line}`),
  },
  {
    rule: "pure-domain",
    name: "a disk, a database, the service's own store",
    files: {
      "services/execution/src/domain/start.ts":
        'import "node:fs";\nimport { createJournal } from "@heddle/journal";\nimport { insert } from "../store/insert.ts";\nexport const start = [createJournal, insert];\n',
    },
    at: [1, 2, 3].map((line) => `services/execution/src/domain/start.ts:${line}`),
  },
  {
    rule: "libs-below-services",
    name: "by name and by path",
    files: {
      "libs/store/src/index.ts":
        'export * from "@heddle/execution-service";\nexport * from "../../../services/definition/src/index.ts";\n',
    },
    at: ["libs/store/src/index.ts:1", "libs/store/src/index.ts:2"],
  },
  {
    rule: "services-apart",
    name: "from the sources and from the tests of a service",
    files: {
      "services/execution/src/index.ts": 'export { publish } from "@heddle/definition-service";\n',
      "services/execution/test/start.test.ts": 'import "@heddle/definition-service";\n',
    },
    at: ["services/execution/src/index.ts:1", "services/execution/test/start.test.ts:1"],
  },
  {
    rule: "services-meet-at-the-top",
    name: "an example and a script",
    files: {
      "examples/01-hello/main.ts": 'import "@heddle/execution-service";\n',
      "scripts/run.ts": 'import type { decide } from "@heddle/execution-service";\nexport type D = typeof decide;\n',
    },
    at: ["examples/01-hello/main.ts:1", "scripts/run.ts:1"],
  },
  {
    rule: "packages-by-name",
    name: "around the index of another package",
    files: {
      "libs/store/src/index.ts": 'export * from "../../engine/src/decide.ts";\n',
      "test/e2e/start.test.ts": 'import "../../libs/engine/src/decide.ts";\n',
    },
    at: ["libs/store/src/index.ts:1", "test/e2e/start.test.ts:1"],
  },
  {
    rule: "database-in-stores",
    name: "types of knex in a handler, pg in a library",
    files: {
      "services/execution/src/handlers/start.ts": 'import type { Knex } from "knex";\nexport type K = Knex;\n',
      "libs/events/src/cursor.ts": 'import pg from "pg";\nexport const pool = new pg.Pool();\n',
    },
    at: ["libs/events/src/cursor.ts:1", "services/execution/src/handlers/start.ts:1"],
  },
  {
    rule: "kafka-in-events",
    name: "a producer in a service",
    files: {
      "services/execution/src/publish.ts": 'import { Kafka } from "kafkajs";\nexport const kafka = new Kafka();\n',
    },
    at: ["services/execution/src/publish.ts:1"],
  },
  {
    rule: "environment-in-config",
    name: "every way to read it",
    files: {
      "libs/store/src/open.ts": [
        "export const a = process.env.DATABASE_URL;",
        'export const b = process["env"];',
        "export const { env } = process;",
        'import { env as c } from "node:process";',
        "export const d = c;",
      ].join("\n"),
      "services/execution/src/main.ts": "console.log(process.env);\n",
    },
    at: [...[1, 2, 3, 4].map((line) => `libs/store/src/open.ts:${line}`), "services/execution/src/main.ts:1"],
  },
  {
    rule: "no-import-cycles",
    name: "of two files, one way for types only",
    files: {
      "libs/engine/src/decide.ts": '// first\nimport type { B } from "./b.ts";\nexport type A = B | 1;\n',
      "libs/engine/src/b.ts": 'import type { A } from "./decide.ts";\nexport type B = A | 2;\n',
    },
    at: ["libs/engine/src/b.ts:1"],
  },
  {
    rule: "no-import-cycles",
    name: "through the index of a package",
    files: {
      "libs/errors/src/index.ts": 'export { decide } from "@heddle/engine";\nexport const kind = 1;\n',
    },
    at: ["libs/engine/src/decide.ts:1"],
  },
  {
    rule: "no-package-cycles",
    name: "over a development dependency",
    files: {
      "libs/errors/package.json": manifest("@heddle/errors", {}, { devDependencies: { "@heddle/engine": "*" } }),
    },
    at: ["libs/engine/package.json:8"],
  },
  {
    rule: "imports-declared",
    name: "a package, one of ours, a generated import",
    files: {
      "libs/engine/src/decide.ts": 'import "yaml";\nimport "@heddle/store";\n',
      "libs/proto/src/a_pb.js": 'import "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";\n',
    },
    at: ["libs/engine/src/decide.ts:1", "libs/engine/src/decide.ts:2", "libs/proto/src/a_pb.js:1"],
  },
  {
    rule: "imports-declared",
    name: "a tool of the root outside tests",
    files: { "libs/engine/src/decide.ts": 'import "vitest";\n' },
    at: ["libs/engine/src/decide.ts:1"],
  },
  {
    rule: "declared-used",
    name: "what nobody imports any more",
    files: { "libs/engine/src/decide.ts": "export const decide = 1;\n" },
    at: ["libs/engine/package.json:8"],
  },
  {
    rule: "exact-versions",
    name: "a range, and a fixed version of one of ours",
    files: {
      "libs/store/package.json": manifest("@heddle/store", { knex: "^3.3.0", "@heddle/errors": "0.1.0" }),
    },
    at: ["libs/store/package.json:8", "libs/store/package.json:9"],
  },
  {
    rule: "one-entry",
    name: "a second entry, and a package that could be published",
    files: {
      "libs/errors/package.json": manifest(
        "@heddle/errors",
        {},
        { exports: { ".": "./src/index.ts", "./kind": "./src/kind.ts" } },
      ),
      "libs/store/package.json": manifest("@heddle/store", { knex: "3.3.0" }, { private: false }),
    },
    at: ["libs/errors/package.json:4", "libs/store/package.json:4"],
  },
  {
    rule: "lock-complete",
    name: "the package of another platform",
    files: { "package-lock.json": lockFile("@tool/linux") },
    at: ["package-lock.json:6"],
  },
  {
    rule: "dependencies-recorded",
    name: "a package without a line",
    files: { "libs/store/package.json": manifest("@heddle/store", { knex: "3.3.0", "@bufbuild/cel": "0.6.1" }) },
    at: ["libs/store/package.json:9"],
  },
  {
    rule: "decisions-listed",
    name: "a page that the index does not know",
    files: { "docs/decisions/journal.md": "# Journal\n" },
    at: ["docs/decisions/journal.md:1"],
  },
  {
    rule: "links-resolve",
    name: "to a page that is gone, in the text and behind an anchor",
    files: { "docs/README.md": "# Docs\n[a](gone.md) [b](../libs/errors) [c](old.md#x) [d](https://example.org)\n" },
    at: ["docs/README.md:2"],
  },
  {
    rule: "paths-resolve",
    name: "to a test of another folder",
    files: {
      "docs/README.md":
        "# Docs\n`libs/errors` and `libs/errors/test/gone.test.ts`, `test/*.ts`, `npx x test/gone.ts`\n",
    },
    at: ["docs/README.md:2"],
  },
  {
    rule: "small-files",
    name: "one line too many",
    files: { "libs/engine/src/decide.ts": lines(501) },
    at: ["libs/engine/src/decide.ts:501"],
  },
  {
    rule: "short-main",
    name: "one line too many, in a service and in deploy/dev",
    files: { "services/execution/src/main.ts": lines(121), "deploy/dev/main.ts": lines(121) },
    at: ["deploy/dev/main.ts:121", "services/execution/src/main.ts:121"],
  },
  {
    rule: "telling-names",
    name: "the usual ones",
    files: { "libs/store/src/utils.ts": "", "libs/store/src/helpers.ts": "", "test/e2e/util.ts": "" },
    at: ["libs/store/src/helpers.ts:1", "libs/store/src/utils.ts:1", "test/e2e/util.ts:1"],
  },
  {
    rule: "kebab-case",
    name: "capitals and underscores, also in folders",
    files: { "libs/store/src/pageToken.ts": "", "libs/store/src/page_token.ts": "", "libs/store/src/Rows/row.ts": "" },
    at: ["libs/store/src/Rows/row.ts:1", "libs/store/src/pageToken.ts:1", "libs/store/src/page_token.ts:1"],
  },
  {
    rule: "erasable-syntax",
    name: "all that stripping types cannot remove",
    files: {
      "libs/store/src/open.ts": [
        "export enum Kind { A }",
        "export class Pool { constructor(private size: number) {} }",
        "@sealed class Sealed {}",
        "namespace Inner { export const x = 1; }",
        'import fs = require("node:fs");',
        "export = fs;",
      ].join("\n"),
    },
    at: [1, 2, 3, 4, 5, 6].map((line) => `libs/store/src/open.ts:${line}`),
  },
  {
    rule: "nothing-left-over",
    name: "in sources, in protos and in prose",
    files: {
      "libs/store/src/open.ts": `// ${"to-do".replace("-", "").toUpperCase()}: close the pool\n`,
      "proto/heddle/a/v1/a.proto": `// ${"fix-me".replace("-", "").toUpperCase()}\n`,
      "docs/a.md": `# A\n${"to-do".replace("-", "").toUpperCase()}\n`,
    },
    at: ["docs/a.md:2", "libs/store/src/open.ts:1", "proto/heddle/a/v1/a.proto:1"],
  },
];

/** What looks close to a violation and is allowed: a rule that refuses it gets switched off sooner or later. */
export const ALLOWED: readonly Seed[] = [
  {
    rule: "pure-imports",
    name: "tests of a pure library read files",
    files: {
      "libs/engine/src/decide.test.ts": 'import "node:fs";\n',
      "libs/engine/test/scenario.ts": 'import "node:fs";\n',
    },
  },
  {
    rule: "pure-names",
    name: "the same words as labels, and other parts of Math",
    files: {
      "libs/engine/src/decide.ts":
        "export interface E { Date: string; process: number }\nexport const e = (x: E) => ({ process: x.process, max: Math.max(1, 2) });\n",
    },
  },
  {
    rule: "pure-domain",
    name: "hashing",
    files: { "services/execution/src/domain/key.ts": 'import "node:crypto";\n' },
  },
  {
    rule: "services-meet-at-the-top",
    name: "tests of all services together",
    files: { "test/e2e/start.test.ts": 'import "@heddle/execution-service";\n' },
  },
  {
    rule: "database-in-stores",
    name: "a store, a migration, a test",
    files: {
      "services/execution/src/store/insert.ts": 'import type { Knex } from "knex";\nexport type K = Knex;\n',
      "services/execution/migrations/0001-create.ts": 'import type { Knex } from "knex";\nexport type K = Knex;\n',
      "test/bench/floor.ts": 'import "pg";\n',
    },
  },
  {
    rule: "environment-in-config",
    name: "config.ts, and environments of other things",
    files: {
      "services/execution/src/config.ts": "export const a = process.env;\n",
      "services/execution/src/main.ts": "export const b = { env: 1 }.env + process.pid;\n",
    },
  },
  {
    rule: "imports-declared",
    name: "a tool of the root in a test, and a package that imports itself",
    files: { "libs/errors/src/a.test.ts": 'import "vitest";\nimport "@heddle/errors";\n' },
  },
  { rule: "small-files", name: "exactly at the limit", files: { "libs/engine/src/decide.ts": lines(500) } },
  { rule: "short-main", name: "exactly at the limit", files: { "services/execution/src/main.ts": lines(120) } },
  {
    rule: "kebab-case",
    name: "tests, declarations, configurations",
    files: { "libs/store/src/page-token.test.ts": "", "libs/store/src/v2.d.ts": "", "vitest.config.ts": "" },
  },
  {
    rule: "erasable-syntax",
    name: "declarations of what others provide",
    files: {
      "libs/store/src/open.ts": 'declare module "x" { const y: number; }\ndeclare enum E { A }\nexport type F = E;\n',
    },
  },
];
