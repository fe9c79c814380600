import { describe, expect, test } from "vitest";
import type { DagPlan } from "./index.ts";
import { MAX_NODES } from "./index.ts";
import { checkSource as check } from "../test/support/check-source.ts";
import { describeRandomSources } from "../test/support/random-sources.ts";

const workflow = (nodes: string): string => `workflow:\n  id: w\n  type: dag\n  nodes:\n${nodes}`;
const tool = (more: string): string => workflow(`    - { id: a, type: tool, tool: t, inputs: { x: ${more} } }\n`);

describe("sources that are made to hurt", () => {
  const aliases = (count: number): string =>
    `a0: &a0 [x, x]\n${Array.from({ length: count }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`).join("\n")}\n`;
  const merges = (count: number): string =>
    `m0: &m0 { ${Array.from({ length: 1_000 }, (_, i) => `k${i}: 1`).join(", ")} }\n${Array.from({ length: count }, (_, i) => `m${i + 1}: { <<: [${"*m0, ".repeat(10)}], z${i}: 1 }`).join("\n")}\n`;

  test.each<[string, string | Uint8Array, string]>([
    ["nothing", "", "wrong-type"],
    ["blanks", " \n\n\t\n", "wrong-type"],
    ["a comment", "# nothing\n", "wrong-type"],
    ["zeros", new Uint8Array(1_000), "wrong-type"],
    ["no UTF-8", Uint8Array.of(0x77, 0xff, 0xfe), "bad-encoding"],
    ["2 MB", "x".repeat(2_000_000), "too-large"],
    ["2 MB of bytes", new Uint8Array(2_000_000), "too-large"],
    ["characters of several bytes", "🐱".repeat(300_000), "too-large"],
    ["10,000 lists in one another", tool("[".repeat(10_000) + "]".repeat(10_000)), "too-deep"],
    ["10,000 lists without an end", tool("[".repeat(10_000)), "too-deep"],
    ["10,000 objects in one another", tool("{a: ".repeat(10_000) + "1" + "}".repeat(10_000)), "too-deep"],
    ["10,000 block lists in one line", `${"- ".repeat(10_000)}a`, "too-deep"],
    ["10,000 explicit keys in one line", `${"? ".repeat(10_000)}a`, "too-deep"],
    [
      "1,400 block objects in one another",
      Array.from({ length: 1_400 }, (_, i) => `${" ".repeat(i)}a:\n`).join(""),
      "too-deep",
    ],
    ["10,000 JSON lists in one another", `{"workflow": ${"[".repeat(10_000)}${"]".repeat(10_000)}}`, "too-deep"],
    ["120 lists in one another", tool("[".repeat(120) + "]".repeat(120)), "too-deep"],
    [
      "a depth that aliases add up to",
      `a: &a ${"[".repeat(60)}${"]".repeat(60)}\nb: ${"[".repeat(60)}*a${"]".repeat(60)}\n`,
      "too-deep",
    ],
    ["a bomb of aliases", aliases(30), "too-many-values"],
    ["a bomb of merges", merges(1_000), "too-many-values"],
    ["a bomb of aliases in a workflow", `${aliases(8)}workflow: { id: w, type: dag, nodes: *a8 }\n`, "too-many-values"],
    ["300,000 aliases", `a: &a [1, 2]\nb: [${"*a,".repeat(300_000)}]\n`, "too-large"],
    ["an alias of itself", "&a [*a]\n", "bad-alias"],
    ["a merge of itself", "&a { <<: *a }\n", "bad-alias"],
    ["quotes", '"'.repeat(200_000), "syntax"],
    ["brackets", "[]".repeat(50_000), "syntax"],
    ["colons", ": ".repeat(100_000), "too-deep"],
    ["anchors", `a: ${"&a ".repeat(50_000)}`, "syntax"],
    ["documents", "---\n".repeat(50_000), "multiple-documents"],
    ["directives", "%X y\n".repeat(150_000), "syntax"],
    ["escapes that are none", `a: "${"\\q".repeat(400_000)}"`, "syntax"],
    ["commas", `[${",".repeat(250_000)}]`, "syntax"],
    ["50,000 keys", Array.from({ length: 50_000 }, (_, i) => `k${i}: 1\n`).join(""), "unknown-field"],
    ["a huge text", tool("x".repeat(1_000_000)), "none"],
    ["a huge text with expressions", tool(`"${"${input.x} ".repeat(80_000)}"`), "none"],
    ["a huge text with broken expressions", tool(`"${"${ ".repeat(300_000)}"`), "expression-syntax"],
    [
      "a huge block with a fault at its end",
      workflow(
        `    - id: a\n      type: tool\n      tool: t\n      inputs:\n        x: |\n${"          word word\n".repeat(45_000)}          \${1 +}\n`,
      ),
      "expression-syntax",
    ],
    [
      "too many nodes",
      workflow(Array.from({ length: MAX_NODES + 1 }, (_, i) => `    - { id: n${i}, type: tool, tool: t }\n`).join("")),
      "too-many-nodes",
    ],
    [
      "maps with bodies, too many nodes in all",
      workflow(
        Array.from(
          { length: MAX_NODES / 2 + 1 },
          (_, i) =>
            `    - { id: n${i}, type: control, subtype: map, for_each: [], nodes: [{ id: a, type: tool, tool: t, inputs: "\${input.x}" }] }\n`,
        ).join(""),
      ),
      "too-many-nodes",
    ],
    [
      "bodies of maps in one another",
      workflow(
        `    - ${Array.from({ length: 22 }, (_, i) => `{ id: n${i}, type: control, subtype: map, for_each: [], nodes: [`).join("")}{ id: a, type: tool, tool: t }${"] }".repeat(22)}\n`,
      ),
      "nested-too-deep",
    ],
    ["a thousand broken nodes", workflow("    - { id: a b }\n".repeat(1_000)), "bad-id"],
    [
      "one circle of 5,000 nodes",
      workflow(
        Array.from(
          { length: MAX_NODES },
          (_, i) => `    - { id: n${i}, type: tool, tool: t, dependencies: [n${(i + 1) % MAX_NODES}] }\n`,
        ).join(""),
      ),
      "cycle",
    ],
    [
      "a bundle of circles",
      workflow(
        Array.from(
          { length: 300 },
          (_, i) =>
            `    - { id: n${i}, type: tool, tool: t, dependencies: [${Array.from({ length: 300 }, (_node, k) => `n${k}`)
              .filter((id) => id !== `n${i}`)
              .join(", ")}] }\n`,
        ).join(""),
      ),
      "cycle",
    ],
    [
      "5,000 conditions over six nodes that cannot hold",
      workflow(
        Array.from({ length: MAX_NODES }, (_, i) =>
          i < 6
            ? `    - { id: n${i}, type: tool, tool: t }\n`
            : `    - { id: n${i}, type: tool, tool: t, depends: n0.failed && n0.skipped && n1 && n2 && n3 && n4 && n5 }\n`,
        ).join(""),
      ),
      "depends-never",
    ],
    [
      "bodies of maps with conditions that cannot hold",
      workflow(
        Array.from(
          { length: 600 },
          (_, i) =>
            `    - { id: n${i}, type: control, subtype: map, for_each: [], nodes: [${"abcdef".replace(/./g, "{ id: $&, type: tool, tool: t }, ")} { id: g, type: tool, tool: t, depends: f.failed && f.skipped && a && b && c && d && e }] }\n`,
        ).join(""),
      ),
      "depends-never",
    ],
    [
      "a schema that refers to itself",
      `workflow:\n  id: w\n  type: dag\n  input_schema: { $ref: "#" }\n  nodes: [{ id: a, type: tool, tool: t }]\n`,
      "none",
    ],
    [
      "prototypes",
      `{"__proto__": {"workflow": 1}, "constructor": 1, "workflow": {"toString": 1, "id": "w"}}`,
      "forbidden-key",
    ],
    [
      "names that objects inherit",
      workflow(
        "    - { id: constructor, type: toString, hasOwnProperty: 1 }\n    - { id: b, type: tool, tool: valueOf, dependencies: [toString] }\n",
      ),
      "unknown-value",
    ],
  ])("%s", (_name, source, rule) => {
    const { findings } = check(source);
    if (rule === "none") expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
    else expect(findings.map((finding) => finding.rule)).toContain(rule);
  });

  test("an id that objects inherit is an id like any other", () => {
    const { plan } = check(
      workflow(
        '    - { id: constructor, type: tool, tool: t }\n    - { id: b, type: tool, tool: t, inputs: { x: "${constructor.output}" } }\n',
      ),
    );
    expect((plan as DagPlan).nodes[1]!.dependencies).toEqual([0]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("5,000 nodes in a chain, with expressions", () => {
    const nodes = Array.from(
      { length: MAX_NODES },
      (_, i) =>
        `    - { id: n${i}, type: tool, tool: t, inputs: { x: "\${${i === 0 ? "input" : `n${i - 1}.output`}.x}" } }\n`,
    );
    const { plan, summary } = check(workflow(nodes.join("")));
    expect((plan as DagPlan).nodes).toHaveLength(MAX_NODES);
    expect(summary!.criticalPath).toHaveLength(MAX_NODES);
  });
});

// The integration tests try many more.
describeRandomSources(200);
