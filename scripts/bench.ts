// Runs the benchmarks under test/bench one after the other: all, or those that are named. Usage: node scripts/bench.ts [name...]
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

const FOLDER = "test/bench";
const known = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => existsSync(`${FOLDER}/${name}/main.ts`)) : [];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark is named ${unknown.join(", ")}; there are: ${known.join(", ")}`);
  process.exit(1);
}
// One after the other, each in a process of its own: a benchmark measures the machine, so it must have it alone.
for (const name of asked.length === 0 ? known : asked) {
  console.log(`▸ ${name}`);
  const { status } = spawnSync(process.execPath, [`${FOLDER}/${name}/main.ts`], { stdio: "inherit" });
  if (status !== 0) {
    console.error(`✗ ${name} failed`);
    process.exitCode = 1;
  }
}
