// Runs every example, one after the other, against a server that is there: node scripts/demo-at.ts http://127.0.0.1:7233
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

const [address] = process.argv.slice(2);
if (address === undefined) throw new Error("say where the server is: make demo URL=http://127.0.0.1:7233");
const names = readdirSync("examples").filter((name) => /^\d\d-/.test(name));
const failed: string[] = [];
for (const name of names) {
  console.log(`\n▸ ${name}`);
  const { status } = spawnSync(process.execPath, [`examples/${name}/main.ts`], {
    env: { ...process.env, HEDDLE_ADDRESS: address },
    stdio: "inherit",
  });
  if (status !== 0) failed.push(name);
}
console.log(failed.length === 0 ? `\n${names.length} examples ran` : `\nfailed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
