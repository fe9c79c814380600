// Bundles each service into <folder>/<service>, to be run by `node main.js` with nothing else beside it: what images are made of.
// Usage: node scripts/bundle.ts <folder> [service...]
import { cpSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "rolldown";

const [folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) throw new Error("say where to: node scripts/bundle.ts <folder> [service...]");
const known = readdirSync("services").filter((name) => existsSync(join("services", name, "src/main.ts")));
const odd = wanted.find((name) => !known.includes(name));
if (odd !== undefined) throw new Error(`there is no service ${odd}; there are ${known.join(", ")}`);

/** Copied as a package: libs/events replaces parts of it as it loads, which a bundle has not got. */
const COPIED = "kafkajs";
/** Clients of databases that we do not use, which knex and pg load by name when asked. */
const NEVER_LOADED =
  /^(better-sqlite3|sqlite3|mysql2?|mariadb(\/callback)?|tedious|oracledb|pg-native|pg-query-stream|cloudflare:sockets)$/;

for (const service of wanted.length > 0 ? wanted : known) {
  const target = join(folder, service);
  const { output } = await build({
    input: { main: join("services", service, "src/main.ts") },
    platform: "node",
    external: [COPIED, new RegExp(`^${COPIED}/`), NEVER_LOADED],
    // One file: a chunk that imports from the entry would wait for the entry's top-level await, which waits for the chunk.
    output: { dir: target, format: "esm", sourcemap: true, cleanDir: true, codeSplitting: false },
    logLevel: "warn",
  });
  writeFileSync(join(target, "package.json"), `${JSON.stringify({ name: service, private: true, type: "module" })}\n`);
  if (output.some((chunk) => chunk.type === "chunk" && /["']kafkajs["']/.test(chunk.code))) {
    cpSync(join("node_modules", COPIED), join(target, "node_modules", COPIED), { recursive: true });
    cpSync("deploy/topics.yaml", join(target, "topics.yaml"));
  }
  console.log(target);
}
