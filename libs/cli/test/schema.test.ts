import { Ajv } from "ajv";
import { expect, it } from "vitest";
import { EXIT } from "../src/index.ts";
import { heddle } from "./run-heddle.ts";

it("prints a JSON Schema that tells definitions from what is none", async () => {
  const { exitCode, stdout } = await heddle(["schema"]);
  expect(exitCode).toBe(EXIT.ok);
  const validate = new Ajv({ strict: false }).compile(JSON.parse(stdout) as object);
  const nodes = [{ id: "greet", type: "action", subtype: "log", params: { message: "hi" } }];
  expect(validate({ workflow: { id: "hello", type: "dag", nodes } })).toBe(true);
  expect(validate({ workflow: { id: "hello", type: "dag", node: nodes } })).toBe(false);
});
