import { compileDefinition } from "@heddle/language";
import { describe, expect, it } from "vitest";
import { generatePrograms } from "./generate-programs.ts";
import { planExecutions } from "./plan-executions.ts";
import { predict, UNATTENDED } from "./predict.ts";
import { isHeld, type Program, type Stage } from "./program.ts";
import { createRandom } from "./random.ts";
import { renderProgram } from "./render-program.ts";

const SEEDS = Array.from({ length: 50 }, (_, seed) => seed);
const NO_CHILD = { ...UNATTENDED, childOf: () => expect.fail("has no child") };

function predicted(stages: Stage[], n = 5, signals: number[] = []): unknown {
  return predict({ workflowId: "p", salt: 100, stages }, n, { ...NO_CHILD, signals });
}

describe("programs", () => {
  it("are valid definitions, whatever the seed", () => {
    for (const seed of SEEDS) {
      for (const program of generatePrograms(createRandom(seed))) {
        const { findings } = compileDefinition(renderProgram(program));
        expect(findings, `seed ${seed}: ${renderProgram(program)}`).toEqual([]);
      }
    }
  });

  it("are the same for the same seed, and others for another", () => {
    expect(generatePrograms(createRandom(7))).toEqual(generatePrograms(createRandom(7)));
    expect(generatePrograms(createRandom(7))).not.toEqual(generatePrograms(createRandom(8)));
  });

  it("have every kind of stage in every run", () => {
    const kinds = new Set(
      SEEDS.flatMap((seed) => generatePrograms(createRandom(seed)).flatMap(({ stages }) => stages.map((s) => s.kind))),
    );
    expect(kinds.size).toBe(19);
  });
});

describe("the model", () => {
  it("adds what each stage adds, and the salt of the version", () => {
    expect(predicted([{ kind: "add", by: 7 }])).toEqual({ status: "completed", output: 112 });
    expect(predicted([{ kind: "flaky", by: 7, failures: 2 }])).toEqual({ status: "completed", output: 112 });
    expect(predicted([{ kind: "fan", by: [1, 2, 3] }])).toEqual({ status: "completed", output: 3 * 105 + 6 });
    expect(predicted([{ kind: "nap", durationMs: 50 }])).toEqual({ status: "completed", output: 105 });
  });

  it("takes the branch that the number chooses", () => {
    const branch: Stage = { kind: "branch", limit: 105, above: 1, below: 2 };
    expect(predicted([branch], 5)).toEqual({ status: "completed", output: 107 });
    expect(predicted([branch], 6)).toEqual({ status: "completed", output: 107 });
  });

  it("tells the order of signals, and that one is missing", () => {
    const signals: Stage = { kind: "signals", count: 2 };
    expect(predicted([signals], 5, [1, 2])).toEqual({ status: "completed", output: (105 * 3 + 1) * 3 + 2 });
    expect(predicted([signals], 5, [2, 1])).not.toEqual(predicted([signals], 5, [1, 2]));
    expect(predicted([signals], 5, [1])).toEqual({ status: "held" });
  });

  it("sums what items give, and goes on with what a person says", () => {
    expect(predicted([{ kind: "items", by: [1, 2] }])).toEqual({ status: "completed", output: 2 * 105 + 3 });
    const attended = { workflowId: "p", salt: 100, stages: [{ kind: "incident" }, { kind: "add", by: 1 }] as Stage[] };
    expect(predict(attended, 5, { ...NO_CHILD, resolutions: [40] })).toEqual({ status: "completed", output: 41 });
    expect(predict(attended, 5, NO_CHILD)).toEqual({ status: "held" });
  });

  it("takes each event at its place", () => {
    const listening: Program = { workflowId: "p", salt: 100, stages: [{ kind: "events", count: 2 }] };
    const output = (105 * 3 + 1) * 3 + 2;
    expect(predict(listening, 5, { ...NO_CHILD, events: [1, 2] })).toEqual({ status: "completed", output });
  });

  it("knows what a workflow makes of its own failure", () => {
    expect(predicted([{ kind: "caught", how: "continue" }])).toEqual({ status: "completed", output: 105 });
    expect(predicted([{ kind: "caught", how: "fallback", by: 7 }])).toEqual({ status: "completed", output: 112 });
    expect(predicted([{ kind: "caught", how: "fail" }])).toEqual({ status: "failed", failureType: "translated" });
  });

  it("runs children in the version that they had", () => {
    const parent: Program = { workflowId: "p", salt: 0, stages: [{ kind: "child", workflowId: "c" }] };
    const outcome = (salt: number) =>
      predict(parent, 1, {
        ...UNATTENDED,
        childOf: () => ({ program: { workflowId: "c", salt, stages: [] }, childOf: NO_CHILD.childOf }),
      });
    expect(outcome(10)).toEqual({ status: "completed", output: 11 });
    expect(outcome(20)).toEqual({ status: "completed", output: 21 });
  });

  it("knows which end badly and which not at all", () => {
    expect(predicted([{ kind: "fail" }])).toMatchObject({ status: "failed", failureType: "planned" });
    expect(predicted([{ kind: "poison" }])).toMatchObject({ status: "failed", failureType: "expression" });
    expect(predicted([{ kind: "hold" }])).toEqual({ status: "held" });
  });
});

describe("plans of executions", () => {
  it("cancel whatever would never end", () => {
    const programs = generatePrograms(createRandom(3));
    const find = (workflowId: string) => programs.find((program) => program.workflowId === workflowId) as Program;
    const plans = planExecutions(createRandom(4), programs, 500, "run");
    expect(new Set(plans.map(({ requestId }) => requestId)).size).toBe(500);
    for (const plan of plans) {
      if (isHeld(find(plan.workflowId), find)) expect(plan.cancelAfterMs).toBeTypeOf("number");
    }
  });
});
