import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT } from "../src/index.ts";
import { heddle } from "./run-heddle.ts";

const DOOR = `<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0">
  <state id="shut"><transition event="open" target="ajar"/></state>
  <state id="ajar"><transition event="close" target="shut"/></state>
</scxml>
`;

describe("heddle convert", () => {
  let folder: string;
  let door: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-convert-"));
    door = join(folder, "front door.scxml");
    await writeFile(door, DOOR);
    await writeFile(join(folder, "broken.scxml"), DOOR.replace('event="open"', 'cond="Date.now()"'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("writes a definition that can be validated, named after the file", async () => {
    const { exitCode, stdout } = await heddle(["convert", door]);
    expect(exitCode).toBe(EXIT.ok);
    expect(stdout).toContain("id: front-door\n");
    const yaml = join(folder, "door.yaml");
    await writeFile(yaml, stdout);
    expect(await heddle(["validate", yaml])).toMatchObject({ exitCode: EXIT.ok });
    expect((await heddle(["convert", door, "--id", "back"])).stdout).toContain("id: back\n");
  });

  it("writes nothing where something cannot be converted, and says where and what to do", async () => {
    const { exitCode, stdout, stderr } = await heddle(["convert", join(folder, "broken.scxml")]);
    expect({ exitCode, stdout }).toEqual({ exitCode: EXIT.invalid, stdout: "" });
    expect(stderr).toMatch(/broken\.scxml:2:43: error the expression "Date\.now\(\)": now\(\) cannot be converted/);
    expect(stderr).toMatch(/hint: .*let a tool compute the rest/);
  });

  it("gives both as JSON", async () => {
    const good = await heddle(["convert", door, "--json"]);
    expect(JSON.parse(good.stdout)).toMatchObject({ yaml: expect.stringContaining("ajar") as string, problems: [] });
    const bad = await heddle(["convert", join(folder, "broken.scxml"), "--json"]);
    expect(bad.exitCode).toBe(EXIT.invalid);
    expect(JSON.parse(bad.stdout)).toMatchObject({ problems: [{ severity: "error", line: 2, column: 43 }] });
  });
});
