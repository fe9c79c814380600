import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLogger } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "heddle-stack-"));
const bundle = join(folder, "main.js");
beforeAll(() => {
  // Line 1, column 7 is line 4, column 3 of the source.
  const map = { version: 3, sources: ["services/x/src/y.ts"], names: [], mappings: "MAGE" };
  writeFileSync(`${bundle}.map`, JSON.stringify(map));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The stack as a line of the log has it. */
function logged(stack: string): unknown {
  let line = "";
  const logger = createLogger({ name: "test", destination: { write: (text) => void (line += text) } });
  logger.error({ err: Object.assign(new Error("odd"), { stack }) }, "failed");
  return (JSON.parse(line) as { err: { stack: unknown } }).err.stack;
}

it("a stack in the log names the places of the sources", () => {
  const url = pathToFileURL(bundle).href;
  expect(logged(`Error: odd\n    at run (${url}:1:9)\n    at node:internal/x:1:1`)).toBe(
    "Error: odd\n    at run (services/x/src/y.ts:4:3)\n    at node:internal/x:1:1",
  );
});

it.each([
  ["has no map", "file:///nowhere/main.js:1:9"],
  ["is of a package", "file:///app/node_modules/x/main.js:1:9"],
  ["is no bundle", "/source/services/x/src/y.ts:1:9"],
])("leaves a place that %s", (_, place) => {
  expect(logged(`Error: odd\n    at ${place}`)).toBe(`Error: odd\n    at ${place}`);
});
