// Bundles each service, and the command `cli`, into <folder>/<name>, to be run by `node main.js` with nothing else beside it: what
// images are made of. Usage: node scripts/bundle.ts <folder> [name | name=entry.ts ...]
import { cpSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { build } from "rolldown";
import { sbomOf } from "./bundle/sbom.ts";

const [folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) throw new Error("say where to: node scripts/bundle.ts <folder> [name | name=entry.ts ...]");
const known = new Map([
  ...readdirSync("services")
    .map((name) => [name, join("services", name, "src/main.ts")] as const)
    .filter(([, entry]) => existsSync(entry)),
  ["cli", "libs/cli/bin/heddle.js"] as const,
]);
const programs = wanted.length === 0 ? [...known] : wanted.map(programOf);

function programOf(argument: string): readonly [name: string, entry: string] {
  const [name = "", entry = known.get(name)] = argument.split("=");
  if (entry === undefined) throw new Error(`there is no program ${name}; there are ${[...known.keys()].join(", ")}`);
  return [name, entry];
}

/** Copied as a package: libs/events replaces parts of it as it loads, which a bundle has not got. */
const COPIED = "kafkajs";
/** Clients of databases that we do not use, which knex and pg load by name when asked. */
const NEVER_LOADED =
  /^(better-sqlite3|sqlite3|mysql2?|mariadb(\/callback)?|tedious|oracledb|pg-native|pg-query-stream|cloudflare:sockets)$/;

for (const [name, entry] of programs) {
  const target = join(folder, name);
  const { output } = await build({
    input: { main: entry },
    platform: "node",
    external: [COPIED, new RegExp(`^${COPIED}/`), NEVER_LOADED],
    // One file: a chunk that imports from the entry would wait for the entry's top-level await, which waits for the chunk.
    output: {
      dir: target,
      format: "esm",
      sourcemap: true,
      // Traces name files and lines; the text itself is in the repository.
      sourcemapExcludeSources: true,
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
      // As seen from the root of the checkout: the same bundle wherever it is written to.
      sourcemapPathTransform: (source, map) => relative(process.cwd(), resolve(map, "..", source)),
      cleanDir: true,
      codeSplitting: false,
    },
    logLevel: "warn",
  });
  writeFileSync(join(target, "package.json"), `${JSON.stringify({ name, private: true, type: "module" })}\n`);
  if (output.some((chunk) => chunk.type === "chunk" && /["'`]kafkajs["'`]/.test(chunk.code))) {
    cpSync(join("node_modules", COPIED), join(target, "node_modules", COPIED), { recursive: true });
    cpSync("deploy/topics.yaml", join(target, "topics.yaml"));
  }
  const modules = output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : []));
  writeFileSync(join(target, "sbom.cdx.json"), sbomOf(name, [...modules, join("node_modules", COPIED, "index.js")]));
  console.log(target);
}
