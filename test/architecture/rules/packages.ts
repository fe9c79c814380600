import { isBuiltin } from "node:module";
import { isTest, lineOfText, packageName, type Finding, type Rule } from "../rule.ts";
import type { Package, SourceFile, SourceTree } from "../source-tree.ts";

const OURS = "@heddle/";

/** Loaded by name at run time, so that no import shows them. */
const USED_WITHOUT_IMPORT: Readonly<Record<string, readonly string[]>> = {};

function declaredBy({ manifest }: Package): Set<string> {
  return new Set(
    Object.keys({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }),
  );
}

export const importsDeclared: Rule = {
  id: "imports-declared",
  rule: "every imported package is declared by the package that imports it",
  why: "an undeclared one works only as long as somebody else happens to install it, and fails in an image",
  remedy: 'add it to the package.json beside it with an exact version ("*" for one of ours), then run `npm install`',
  check(tree) {
    const root = tree.packageOf("package.json");
    return [...tree.sources, ...tree.generated].flatMap((file) => {
      const owner = tree.packageOf(file.path);
      const declared = declaredBy(owner);
      // The root sees every workspace package; tests use the tools that the root installs for all.
      const shared = isTest(file.path) ? declaredBy(root) : new Set<string>();
      return foreignImports(file)
        .filter(({ name }) => {
          if (name === owner.manifest.name || declared.has(name) || shared.has(name)) return false;
          return !(owner === root && name.startsWith(OURS));
        })
        .map(({ name, line }): Finding => {
          return { file: file.path, line, what: `imports ${name}, which ${owner.manifestPath} does not declare` };
        });
    });
  },
};

export const declaredUsed: Rule = {
  id: "declared-used",
  rule: "every declared dependency is imported by the package that declares it",
  why: "an unused one is still installed, audited, updated and shipped",
  remedy: "remove it from package.json and run `npm install`; if it is loaded by name, say so in USED_WITHOUT_IMPORT",
  check: (tree) =>
    tree.packages
      // The root's are tools, which run from scripts and are not imported: knip looks after them.
      .filter(({ folder }) => folder !== "")
      .flatMap((owner) => {
        const used = importedWithin(tree, owner);
        const exempt = USED_WITHOUT_IMPORT[owner.manifest.name] ?? [];
        return [...declaredBy(owner)]
          .filter((name) => !used.has(name) && !used.has(name.replace("@types/", "")) && !exempt.includes(name))
          .map((name) => ({
            file: owner.manifestPath,
            line: lineOfText(owner.manifestText, `"${name}":`),
            what: `declares ${name}, which no file imports`,
          }));
      }),
};

export const exactVersions: Rule = {
  id: "exact-versions",
  rule: 'dependencies have exact versions; packages of this repository are "*"',
  why: "everyone then runs what was tested, also with a new lock file, and an update is a change that one can review",
  remedy: "write the version that package-lock.json names",
  check: (tree) =>
    tree.packages.flatMap(({ manifest, manifestPath, manifestText }) =>
      Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies })
        .filter(([name, version]) =>
          name.startsWith(OURS) ? version !== "*" : !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
        )
        .map(([name, version]) => ({
          file: manifestPath,
          line: lineOfText(manifestText, `"${name}":`),
          what: `asks for ${name} ${version}`,
        })),
    ),
};

const ONE_ENTRY = { ".": "./src/index.ts" };
/** Packages that need other entries, and why. */
const OTHER_ENTRIES: Readonly<Record<string, unknown>> = {
  // Generated code has a file for each proto file and no index.
  "libs/proto": { "./*": "./src/*" },
  // vitest loads its global setup by name, outside of any test.
  "libs/testing": { ...ONE_ENTRY, "./global-setup": "./src/global-setup.ts" },
};

export const oneEntry: Rule = {
  id: "one-entry",
  rule: "libs and services are private packages that export src/index.ts and nothing else",
  why: "one file then says what others may rely on; everything behind it can change freely",
  remedy: 'set "private": true and "exports": { ".": "./src/index.ts" }',
  check: (tree) =>
    tree.packages
      .filter(({ folder }) => /^(libs|services)\//.test(folder))
      .filter(({ folder, manifest }) => {
        const expected = OTHER_ENTRIES[folder] ?? ONE_ENTRY;
        return manifest.private !== true || JSON.stringify(manifest.exports) !== JSON.stringify(expected);
      })
      .map(({ manifestPath, manifestText }) => ({
        file: manifestPath,
        line: lineOfText(manifestText, '"exports"'),
        what: "is not private, or exports something else",
      })),
};

function foreignImports(file: SourceFile): { name: string; line: number }[] {
  return file.syntax.imports.flatMap(({ specifier, line }) => {
    const name = isBuiltin(specifier) ? undefined : packageName(specifier);
    return name === undefined ? [] : [{ name, line }];
  });
}

function importedWithin(tree: SourceTree, owner: Package): Set<string> {
  const files = [...tree.sources, ...tree.generated].filter((file) => tree.packageOf(file.path) === owner);
  return new Set(files.flatMap((file) => foreignImports(file).map(({ name }) => name)));
}
