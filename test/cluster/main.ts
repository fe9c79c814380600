import { parseArgs } from "node:util";
import { findGrpcurl } from "../interop/grpcurl.ts";
import { findHelm, findKubectl } from "../helm/tools.ts";
import { readConfig } from "./config.ts";
import { bringImages } from "./images.ts";
import { runRound } from "./run-round.ts";

/*
 * The chart on a real cluster, with load: see README.md beside this file.
 *
 *     node test/cluster/main.ts [--rounds 2] [--seed 7] [--tls none|all|alternate]
 */
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "1" },
    tls: { type: "string", default: "none" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const begunAt = performance.now();
const log = (line: string): void => {
  console.log(`${((performance.now() - begunAt) / 1000).toFixed(1).padStart(7)} s  ${line}`);
};

const [helm, kubectl, grpcurl] = await Promise.all([findHelm(), findKubectl(), findGrpcurl()]);
for (const tool of [helm, kubectl]) if ("missing" in tool) throw new Error(tool.missing);
const programs = {
  helm: (helm as { path: string }).path,
  kubectl: (kubectl as { path: string }).path,
  grpcurl,
};
const seed = Number(values.seed);
log(`seed ${seed}`);
await bringImages(readConfig(), log);

let passed = 0;
let failed = 0;
for (let round = 1; round <= Number(values.rounds); round++) {
  const withTls = values.tls === "all" || (values.tls === "alternate" && round % 2 === 0);
  log(`round ${round}${withTls ? ", with TLS" : ""}`);
  const outcome = await runRound({ config: readConfig(), programs, seed: seed + round, withTls, log });
  passed += outcome.passed;
  failed += outcome.failed;
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
