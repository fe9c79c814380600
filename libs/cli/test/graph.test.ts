import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT } from "../src/index.ts";
import { heddle } from "./run-heddle.ts";

const DOOR = `workflow:
  id: door
  type: state_machine
  states:
    - { name: shut, transitions: [{ event: open, target: ajar }] }
    - { name: ajar, transitions: [{ after: 90s, target: shut }] }
`;

describe("heddle graph, of a file", () => {
  let folder: string;
  let door: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-graph-"));
    door = join(folder, "door.yaml");
    await writeFile(door, DOOR);
    await writeFile(join(folder, "broken.yaml"), DOOR.replace("target: ajar", "target: wide"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("draws it for a terminal, without a server", async () => {
    const { exitCode, stdout } = await heddle(["graph", door]);
    expect(exitCode).toBe(EXIT.ok);
    expect(stdout).toBe(
      [
        "door, a state machine",
        "  ● → shut",
        "  shut",
        "      open → ajar",
        "  ajar",
        "      after 1m30s → shut",
        "",
      ].join("\n"),
    );
  });

  it.each([
    ["dot", 'digraph "door" {', '"ajar" -> "shut" [label="after 1m30s"]'],
    ["mermaid", "flowchart TB", 'n2 -->|"after 1m30s"| n1'],
  ])("draws it as %s", async (format, head, edge) => {
    const { stdout } = await heddle(["graph", door, "--format", format]);
    expect(stdout).toContain(head);
    expect(stdout).toContain(edge);
  });

  it("gives what there is to draw as JSON", async () => {
    const { stdout } = await heddle(["graph", door, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      title: "door",
      kind: "state_machine",
      nodes: [{ shape: "initial" }, { id: "shut" }, { id: "ajar" }],
      edges: [{ to: "shut" }, { from: "shut", to: "ajar", label: "open" }, { from: "ajar", to: "shut" }],
    });
  });

  it("says what is wrong with a file of which there is nothing to draw", async () => {
    const { exitCode, stdout, stderr } = await heddle(["graph", join(folder, "broken.yaml")]);
    expect({ exitCode, stdout }).toEqual({ exitCode: EXIT.invalid, stdout: "" });
    expect(stderr).toMatch(/broken\.yaml:5:\d+: error .*wide/);
    expect(stderr).toContain("hint: heddle validate");
  });

  it("refuses a format that it does not have", async () => {
    expect((await heddle(["graph", door, "--format", "png"])).exitCode).toBe(EXIT.invalid);
  });
});
