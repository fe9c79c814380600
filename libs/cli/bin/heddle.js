#!/usr/bin/env node
// Plain JavaScript for any Node: the sources are TypeScript that Node 24 runs as it is. An older Node finds the one that
// the npm package `node` installed beside us and hands over to it.
import { spawn } from "node:child_process";
import module, { createRequire } from "node:module";

const MINIMUM = 24;
const NO_NODE = 70;

if (Number.parseInt(process.versions.node, 10) >= MINIMUM) {
  // Stripped and compiled sources are kept in the system's folder for temporary files: half of the start is saved.
  module.enableCompileCache();
  const { main } = await import("../src/main.ts");
  await main();
} else {
  handOver(findNode());
}

/** @returns {string} */
function findNode() {
  try {
    return createRequire(import.meta.url).resolve("node/bin/node");
  } catch {
    process.stderr.write(
      `heddle needs Node ${MINIMUM} or newer and this is ${process.versions.node}; run \`npm install\` (it brings the package \`node\`), or install Node ${MINIMUM}\n`,
    );
    process.exit(NO_NODE);
  }
}

/** @param {string} node */
function handOver(node) {
  const script = process.argv[1] ?? "";
  const child = spawn(node, [script, ...process.argv.slice(2)], { stdio: "inherit" });
  // Ctrl-C reaches both; the child decides what it means. Other signals come to this process only.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`heddle cannot start ${node}: ${error.message}\n`);
    process.exit(NO_NODE);
  });
  child.on("exit", (code, signal) => {
    if (signal !== null) process.exit(128 + (signal === "SIGINT" ? 2 : signal === "SIGTERM" ? 15 : 9));
    process.exit(code ?? NO_NODE);
  });
}
