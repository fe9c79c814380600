import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_FINDINGS, MAX_NODES, compileDefinition } from "./index.ts";
import type { CompiledDefinition, DagPlan } from "./index.ts";

const dialect = readFileSync(new URL("../testdata/dialect.yaml", import.meta.url), "utf8");

/** What holds for every source. */
function check(source: string | Uint8Array): CompiledDefinition {
  const compiled = compileDefinition(source);
  const { plan, findings, summary } = compiled;
  const hasErrors = findings.some(({ severity }) => severity === "error");
  expect(plan === undefined).toBe(hasErrors);
  expect(summary === undefined).toBe(hasErrors);
  expect(findings.length).toBeLessThanOrEqual(MAX_FINDINGS);
  for (const [index, { line, column, endLine, endColumn, message, hint }] of findings.entries()) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(endLine > line || (endLine === line && endColumn >= column)).toBe(true);
    expect(message).not.toBe("");
    expect(hint).not.toBe("");
    const before = findings[index - 1];
    if (before !== undefined)
      expect(before.line < line || (before.line === line && before.column <= column)).toBe(true);
  }
  if (plan !== undefined) checkPlan(plan);
  return compiled;
}

function checkPlan(plan: NonNullable<CompiledDefinition["plan"]>): void {
  if (plan.type === "state_machine") return;
  const { nodes } = plan;
  expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length);
  const settled = new Set<number>();
  const isReady = (index: number): boolean => {
    const { dependencies, activators } = nodes[index]!;
    return [...dependencies, ...activators].every((other) => settled.has(other));
  };
  for (const { dependencies, activators } of nodes) {
    for (const list of [dependencies, activators]) {
      expect(list).toEqual([...new Set(list)].sort((left, right) => left - right));
      expect(list.every((index) => Number.isInteger(index) && index >= 0 && index < nodes.length)).toBe(true);
    }
  }
  for (let before = -1; settled.size > before; ) {
    before = settled.size;
    for (const index of nodes.keys()) if (isReady(index)) settled.add(index);
  }
  expect(settled.size).toBe(nodes.length);
}

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

describe("whatever comes in", () => {
  test("bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        check(bytes);
      }),
      { numRuns: 1_000 },
    );
  });

  test("scraps of YAML", () => {
    const scrap = fc.constantFrom(
      "workflow:",
      "\n",
      "\n  ",
      "\n    ",
      "- ",
      "id: ",
      "type: dag",
      "nodes:",
      "[",
      "]",
      "{",
      "}",
      ", ",
      ": ",
      "&a ",
      "*a",
      "<<: ",
      "|\n",
      ">-\n",
      "'",
      '"',
      "${",
      "}",
      "${input.x}",
      "#",
      "!t ",
      "? ",
      "---\n",
      "\t",
      "a",
      "🐱",
      "%",
      "0x1",
      ".nan",
      "__proto__: ",
    );
    fc.assert(
      fc.property(fc.array(scrap, { maxLength: 60 }), (scraps) => {
        check(scraps.join(""));
      }),
      { numRuns: 1_500 },
    );
  });

  test("a good definition with scratches", () => {
    const scratch = fc.record({
      at: fc.nat(dialect.length - 1),
      remove: fc.nat(12),
      insert: fc.oneof(
        fc.string({ unit: "binary", maxLength: 4 }),
        fc.constantFrom(
          "",
          " ",
          "\n",
          "[",
          "{",
          "'",
          '"',
          "*",
          "&x ",
          "${",
          "-",
          ":",
          "node1",
          "decision",
          "task1",
          "\t",
        ),
      ),
    });
    fc.assert(
      fc.property(fc.array(scratch, { minLength: 1, maxLength: 4 }), (scratches) => {
        let source = dialect;
        for (const { at, remove, insert } of scratches)
          source = source.slice(0, at) + insert + source.slice(at + remove);
        check(source);
      }),
      { numRuns: 500 },
    );
  });

  test("graphs of every shape: what compiles can be run to its end, and what does not names a reason of the graph", () => {
    const count = 8;
    const picks = (minLength: number) => fc.uniqueArray(fc.nat(count - 1), { minLength, maxLength: 2 });
    const kind = fc.constantFrom<Shape["kind"]>("tool", "tool", "tool", "parallel", "switch", "aggregation");
    const shape = fc.record({
      kind,
      before: picks(0),
      reads: picks(0),
      first: picks(1),
      second: picks(1),
      join: fc.constantFrom("all", "any"),
      // Now and then a reference goes the wrong way.
      isWild: fc.integer({ min: 0, max: 19 }).map((number) => number === 0),
    });
    const graphRules = new Set([
      "self-dependency",
      "cycle",
      "unreachable-node",
      "exclusive-join",
      "circular-reference",
      "shared-branch",
      "no-branches",
      "duplicate-target",
      "out-of-range",
    ]);
    let plans = 0;
    fc.assert(
      fc.property(fc.array(shape, { minLength: count, maxLength: count }), (nodes) => {
        const list = nodes.map((entry, index) => toNode(entry, index, count));
        const { plan, findings } = check(JSON.stringify({ workflow: { id: "w", type: "dag", nodes: list } }));
        for (const { rule, severity } of findings) if (severity === "error") expect(graphRules).toContain(rule);
        if (plan !== undefined) plans += 1;
      }),
      { numRuns: 1_000 },
    );
    // Else the property would hold because nothing ever compiles.
    expect(plans).toBeGreaterThan(20);
  });
});

interface Shape {
  kind: "tool" | "parallel" | "switch" | "aggregation";
  before: number[];
  reads: number[];
  first: number[];
  second: number[];
  join: string;
  isWild: boolean;
}

/** Tools and aggregations look back, controls look forward, wild ones anywhere. */
function toNode({ kind, before, reads, first, second, join, isWild }: Shape, index: number, count: number): object {
  const pick = (numbers: number[], from: number, to: number): string[] => {
    const inside = isWild ? numbers : numbers.filter((number) => number >= from && number < to);
    return inside.map((number) => `n${number}`);
  };
  const back = (numbers: number[]): string[] => pick(numbers, 0, index);
  const ahead = (numbers: number[]): string[] => pick(numbers, index + 1, count);
  const id = `n${index}`;
  const dependencies = back(before);
  if (kind === "parallel" && ahead(first).length > 0) {
    return { id, type: "control", subtype: "parallel", branches: ahead(first), dependencies };
  }
  if (kind === "switch") {
    const branches = [{ case: 1, target: ahead(first) }, { default: ahead(second) }];
    return { id, type: "control", subtype: "switch", condition: "${input.x}", branches, dependencies };
  }
  if (kind === "aggregation" && dependencies.length > 0) {
    return { id, type: "aggregation", subtype: "collect", dependencies };
  }
  const inputs = back(reads).map((other) => `\${${other}.output ?? 1}`);
  return { id, type: "tool", tool: "t", join, dependencies, inputs };
}
