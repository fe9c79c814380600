import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkSource as check } from "./check-source.ts";

const dialect = readFileSync(new URL("../../testdata/dialect.yaml", import.meta.url), "utf8");

/** Tries so many sources of each kind. */
export function describeRandomSources(numRuns: number): void {
  describe("whatever comes in", () => {
    test("bytes", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
          check(bytes);
        }),
        { numRuns },
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
        { numRuns },
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
        { numRuns },
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
        { numRuns },
      );
      // Else the property would hold because nothing ever compiles.
      expect(plans).toBeGreaterThan(numRuns / 50);
    });
  });
}

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
