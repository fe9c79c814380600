import { DomainError } from "@heddle/errors";
import { type Command, type Failure, isFinished, listNodes, nextTimerAt } from "../../src/index.ts";
import type { Random } from "./random.ts";
import { type Runner, type Step, startCommand } from "./runner.ts";

export interface RandomRun {
  /** What it starts with; absent: an input of its own. */
  start?: Command;
  /** Called after each command that was accepted. */
  onStep(step: Step, command: Command): void;
}

/** Answers the obligations of an execution in random order with random outcomes, then all that are left, until nothing is. */
export function playRandomly(runner: Runner, random: Random, run: RandomRun): void {
  let now = 1_000;
  const failureRate = random.pick([0, 0, 0.02, 0.2]);
  const send = (command: Command) => {
    try {
      run.onStep(runner.send(command, now), command);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
    }
  };
  send(run.start ?? startCommand({ n: random.below(4), flag: random.chance(0.5) }));
  const disturbances = random.below(40);
  for (let i = 0; i < disturbances; i++) {
    now += random.below(500);
    send(makeCommand(runner, random, failureRate));
  }
  // From here on only what drives it forward. Each round answers something, so it ends.
  const maxRounds = runner.plan.nodes.length * 200 + 100;
  for (let round = 0; ; round++) {
    const state = runner.state;
    if (!state || isFinished(state)) return;
    if (round > maxRounds) throw new Error(`the execution does not end within ${maxRounds} rounds`);
    if (state.status === "suspended") send({ type: "resume", reason: "" });
    const timerAt = nextTimerAt(state);
    const answers = listAnswers(runner, random, failureRate);
    if (answers.length > 0 && (timerAt === undefined || random.chance(0.8))) {
      send(random.pick(answers));
    } else if (timerAt !== undefined) {
      now = Math.max(now, timerAt);
      send({ type: "fire_timers" });
    } else if (!isFinished(state)) {
      return;
    }
  }
}

/** What the outside could answer now. */
function listAnswers(runner: Runner, random: Random, failureRate: number): Command[] {
  const answers: Command[] = runner.known.tasks.map(({ nodeId, attempt }) =>
    !random.chance(failureRate)
      ? { type: "complete_task", nodeId, attempt, output: { by: nodeId, attempt }, startedAt: 0, worker: "w" }
      : { type: "fail_task", nodeId, attempt, failure: makeFailure(random) },
  );
  for (const { nodeId, childId } of runner.known.children) {
    const failure = { type: "broken", message: "child" };
    answers.push(
      random.chance(0.95)
        ? { type: "complete_child", nodeId, childId, output: 1 }
        : { type: "fail_child", nodeId, childId, failure },
    );
  }
  for (const node of runner.state ? listNodes(runner.plan, runner.state) : []) {
    if (node.status === "waiting" && node.signal !== undefined) {
      answers.push({ type: "signal", name: node.signal, payload: { n: 1 }, requestId: "" });
    }
  }
  return answers;
}

function makeCommand(runner: Runner, random: Random, failureRate: number): Command {
  const answers = listAnswers(runner, random, failureRate);
  if (answers.length > 0 && random.chance(0.7)) return random.pick(answers);
  const nodeId = random.pick(runner.plan.nodes).id;
  const others: Command[] = [
    { type: "fire_timers" },
    { type: "suspend", reason: "" },
    { type: "resume", reason: "" },
    {
      type: "signal",
      name: random.pick(["go", "stop", "other"]),
      payload: random.below(9),
      requestId: random.pick(["", "r1", "r2"]),
    },
    // Late, repeated or invented results: they must be refused or count, never harm.
    { type: "complete_task", nodeId, attempt: 1 + random.below(2), output: null, startedAt: 0, worker: "w" },
    ...(failureRate > 0 ? [{ type: "fail_task" as const, nodeId, attempt: 1, failure: makeFailure(random) }] : []),
    { type: "complete_child", nodeId, childId: `child-of-${nodeId}`, output: null },
    startCommand({}),
  ];
  if (random.chance(0.05))
    return { type: "reset", from: [random.pick(runner.plan.nodes).id, nodeId], reason: "", requestId: "" };
  return random.chance(0.02) ? { type: "cancel", reason: "" } : random.pick(others);
}

function makeFailure(random: Random): Failure {
  return random.pick<Failure>([
    { type: "timeout", message: "slow" },
    { type: "worker_lost", message: "gone" },
    { type: "http_error", message: "503", retryAfterMs: random.below(5_000) },
    { type: "bad", message: "never", retryable: random.chance(0.7) },
  ]);
}
