import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT } from "../src/index.ts";
import { heddle } from "./run-heddle.ts";

const GOOD = `workflow:
  id: hello
  type: dag
  nodes:
    - { id: greet, type: action, subtype: transform, params: { value: "Hello \${input.name}" } }
`;
const BAD = `workflow:
  id: hello
  type: dag
  nodes:
    - { id: a, type: action, subtype: log, params: { message: hi }, dependencies: [nobody] }
    - { id: b, type: actoin, subtype: log, params: { message: hi } }
`;

describe("heddle validate", () => {
  let folder: string;
  let good: string;
  let bad: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-validate-"));
    good = join(folder, "good.yaml");
    bad = join(folder, "bad.yaml");
    await writeFile(good, GOOD);
    await writeFile(bad, BAD);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("says that a definition is valid", async () => {
    expect(await heddle(["validate", good])).toMatchObject({ exitCode: EXIT.ok, stdout: `${good}: valid, 1 node\n` });
  });

  it("shows every finding of every file with its place", async () => {
    const { exitCode, stdout } = await heddle(["validate", good, bad]);
    expect(exitCode).toBe(EXIT.invalid);
    expect(stdout).toContain(`${bad}:5:84: error`);
    expect(stdout).toMatch(/5 \| .*dependencies: \[nobody\] }\n +\| +\^{6}\n/);
    expect(stdout).toContain(`${bad}:6:`);
    expect(stdout).toContain("hint:");
    expect(stdout).toContain(`${bad}: 2 errors`);
  });

  it("gives findings as JSON", async () => {
    const { exitCode, stdout } = await heddle(["validate", good, bad, "--json"]);
    expect(exitCode).toBe(EXIT.invalid);
    expect(JSON.parse(stdout)).toMatchObject({
      valid: false,
      files: [
        { file: good, valid: true, findings: [], summary: { nodeCount: 1 } },
        { file: bad, valid: false, findings: [{ severity: "error", line: 5, column: 84 }, { line: 6 }] },
      ],
    });
  });

  it("names a file that is not there", async () => {
    const { exitCode, stderr } = await heddle(["validate", join(folder, "none.yaml")]);
    expect(exitCode).toBe(EXIT.notFound);
    expect(stderr).toContain("there is no file");
  });
});
