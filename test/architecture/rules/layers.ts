import { dirname, join } from "node:path/posix";
import { isTest, isWithin, packageName, type Finding, type Rule } from "../rule.ts";
import type { Package, SourceFile, SourceTree } from "../source-tree.ts";

/** Where every service may be imported: they are put together there, and nowhere else. */
const MEETING_PLACES = ["deploy/**", "test/**"];

/** The package that an import leads to when it is one of ours, by name or by path. */
function targetPackage(tree: SourceTree, file: SourceFile, specifier: string): Package | undefined {
  if (specifier.startsWith(".")) return tree.packageOf(join(dirname(file.path), specifier));
  return tree.packages.find(({ manifest }) => manifest.name === packageName(specifier));
}

function isService(target: Package | undefined): target is Package {
  return target?.folder.startsWith("services/") ?? false;
}

/** Imports of service packages from the files that `from` accepts. */
function serviceImports(tree: SourceTree, from: (file: SourceFile, target: Package) => boolean): Finding[] {
  return tree.sources.flatMap((file) =>
    file.syntax.imports
      .filter(({ specifier }) => {
        const target = targetPackage(tree, file, specifier);
        return isService(target) && from(file, target);
      })
      .map(({ specifier, line }) => ({ file: file.path, line, what: `imports ${specifier}` })),
  );
}

export const libsBelowServices: Rule = {
  id: "libs-below-services",
  rule: "libs never import services",
  why: "a library that knows a service can be used by that service only, and the layers become a knot",
  remedy: "move the shared part into the library, or pass it in as a function or an interface",
  check: (tree) => serviceImports(tree, (file) => file.path.startsWith("libs/")),
};

export const servicesApart: Rule = {
  id: "services-apart",
  rule: "a service never imports another service",
  why: "services meet over proto/ only: each must be able to move to a repository of its own",
  remedy: "call it through a client of @heddle/rpc for its proto service; share code through a library",
  check: (tree) =>
    serviceImports(
      tree,
      (file, target) => file.path.startsWith("services/") && !file.path.startsWith(`${target.folder}/`),
    ),
};

export const servicesMeetAtTheTop: Rule = {
  id: "services-meet-at-the-top",
  rule: `only ${MEETING_PLACES.join(" and ")} import services`,
  why: "one place composes all services; examples and scripts use Heddle as its users do",
  remedy: "use @heddle/sdk or the `heddle` command, or compose in deploy/dev",
  check: (tree) =>
    serviceImports(tree, ({ path }) => !/^(libs|services)\//.test(path) && !isWithin(path, MEETING_PLACES)),
};

export const packagesByName: Rule = {
  id: "packages-by-name",
  rule: "a relative import stays within its package",
  why: "what a package's index.ts does not export is not for others; a path past it makes every file public",
  remedy: "import the package by its name, and export from its src/index.ts what is meant for others",
  check: (tree) =>
    tree.sources.flatMap((file) =>
      file.syntax.imports
        .filter(({ specifier }) => {
          if (!specifier.startsWith(".")) return false;
          const target = targetPackage(tree, file, specifier);
          return target !== undefined && target.folder !== "" && target !== tree.packageOf(file.path);
        })
        .map(({ specifier, line }) => ({ file: file.path, line, what: `imports ${specifier}` })),
    ),
};

/** Who may use which foreign client: one line each, so that the client can be replaced in one place. */
interface ClientRule {
  readonly id: string;
  readonly rule: string;
  readonly packages: readonly string[];
  readonly allowed: readonly string[];
  readonly why: string;
  readonly remedy: string;
}

const CLIENTS: readonly ClientRule[] = [
  {
    id: "database-in-stores",
    rule: "knex and pg only in libs/store, libs/journal, libs/testing, services/*/src/store and migrations",
    packages: ["knex", "pg"],
    allowed: ["libs/{store,journal,testing}/**", "services/*/src/store/**", "services/*/migrations/**"],
    why: "every query of a service stands in one folder, where its locks, indexes and limits can be reviewed together",
    remedy: "put the query into services/<name>/src/store; for types use what @heddle/store exports",
  },
  {
    id: "kafka-in-events",
    rule: "the Kafka client only in libs/events",
    packages: ["kafkajs", "@platformatic/kafka", "@confluentinc/kafka-javascript", "node-rdkafka"],
    allowed: ["libs/events/**"],
    why: "ordering, retries and the client's defects are handled behind EventBus once, and the client stays replaceable",
    remedy: "publish and subscribe through the EventBus of @heddle/events",
  },
];

export const clientRules: readonly Rule[] = CLIENTS.map(({ id, rule, packages, allowed, why, remedy }) => ({
  id,
  rule,
  why,
  remedy,
  check: (tree) =>
    tree.sources
      .filter((file) => !isWithin(file.path, allowed) && !isTest(file.path))
      .flatMap((file) =>
        file.syntax.imports
          .filter(({ specifier }) => packages.includes(packageName(specifier) ?? ""))
          .map(({ specifier, line }) => ({ file: file.path, line, what: `imports ${specifier}` })),
      ),
}));

/** Entry points that have no configuration of their own, and tests, which set the environment of what they start. */
const MAY_READ_ENVIRONMENT = ["**/config.ts", "*.config.ts", "deploy/dev/**", "scripts/**", "examples/**"];

export const environmentInConfig: Rule = {
  id: "environment-in-config",
  rule: "process.env is read in config.ts only",
  why: "all settings of a process are then parsed once, checked together and listed by `check-config`",
  remedy: "add the setting to the package's config.ts and pass the value on",
  check: (tree) =>
    tree.sources
      .filter((file) => !isWithin(file.path, MAY_READ_ENVIRONMENT) && !isTest(file.path))
      .flatMap((file) => {
        const read = file.syntax.references
          .filter(({ name }) => name === "process.env")
          .map(({ line }) => ({ file: file.path, line, what: "reads process.env" }));
        return [...read, ...namedEnvImports(file)];
      }),
};

/** `import { env } from "node:process"` says the same in another way. */
function namedEnvImports(file: SourceFile): Finding[] {
  return file.syntax.imports
    .filter(({ specifier, line }) => {
      if (specifier !== "node:process" && specifier !== "process") return false;
      return /\benv\b/.test(file.text.split("\n")[line - 1] ?? "");
    })
    .map(({ line }) => ({ file: file.path, line, what: "imports env of node:process" }));
}
