import { DomainError } from "@heddle/errors";
import {
  type Command,
  type Failure,
  type IncidentResolution,
  type Json,
  type LinkedNode,
  humanTaskId,
  isFinished,
  isIncident,
  listNodes,
  nextTimerAt,
} from "../../src/index.ts";
import type { Random } from "./random.ts";
import { EXECUTION_ID, type Runner, type Step, startCommand } from "./runner.ts";

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
  send(run.start ?? makeStart(random));
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

/** Some bring a signal along. */
function makeStart(random: Random): Command {
  const start = startCommand({ n: random.below(4), flag: random.chance(0.5) });
  if (!random.chance(0.1)) return start;
  const signal = { name: random.pick(["go", "stop"]), payload: random.below(9), requestId: random.pick(["", "r1"]) };
  return { ...(start as Extract<Command, { type: "start" }>), signal };
}

/** What the outside could answer now. */
function listAnswers(runner: Runner, random: Random, failureRate: number): Command[] {
  const answers: Command[] = runner.known.tasks.map(({ nodeId, attempt }) =>
    !random.chance(failureRate)
      ? {
          type: "complete_task",
          nodeId,
          attempt,
          output: makeOutput(random, nodeId, attempt),
          startedAt: 0,
          worker: "w",
        }
      : { type: "fail_task", nodeId, attempt, failure: makeFailure(random) },
  );
  // Those that were told to end have their ends as well, of which the execution may wait for some.
  for (const { nodeId, childId } of [...runner.known.children, ...listAwaited(runner)]) {
    const failure = { type: "broken", message: "child" };
    answers.push(
      random.chance(0.95)
        ? { type: "complete_child", nodeId, childId, output: 1, ...(random.chance(0.5) && { compensable: true }) }
        : { type: "fail_child", nodeId, childId, failure },
    );
  }
  answers.push(...listMachineAnswers(runner, random));
  for (const node of runner.state ? listNodes(runner.plan, runner.state) : []) {
    if (isIncident(node)) answers.push({ ...makeResolution(random), nodeId: node.nodeId });
    if (node.status === "waiting" && node.event !== undefined) {
      answers.push(makeEvent(random, node.nodeId, node.event, node.restarts ?? 0, node.signalKey));
    }
    if (node.status === "waiting" && node.signal !== undefined) {
      const key = node.signalKey;
      answers.push({
        type: "signal",
        name: node.signal,
        ...(key !== undefined && { key }),
        payload: { n: 1 },
        requestId: "",
      });
    }
  }
  answers.push(...listHumanAnswers(runner, random));
  return answers;
}

function makeOutput(random: Random, nodeId: string, attempt: number): Json {
  return random.chance(0.1) ? null : { by: nodeId, attempt };
}

/** Those that are to be created may have been created and ended before anybody knows. */
function listMachineAnswers({ plan, state, known }: Runner, random: Random): Command[] {
  const toCreate = known.machines.map(({ nodeId, requestId }): Command => {
    const type = random.pick(["acknowledge_machine", "acknowledge_machine", "complete_machine"] as const);
    return { type, nodeId, machineId: `of ${requestId}`, output: { by: nodeId } };
  });
  const created = (state?.nodes ?? []).flatMap(({ status, machineId, fallback }, index): Command[] => {
    if (status !== "waiting" || machineId === undefined || fallback !== undefined) return [];
    const { id: nodeId } = plan.nodes[index] as LinkedNode;
    if (random.chance(0.9)) return [{ type: "complete_machine", nodeId, machineId, output: null }];
    return [{ type: "fail_machine", nodeId, machineId, failure: { type: "broken", message: "machine" } }];
  });
  return [...toCreate, ...created];
}

/** Mostly to an end: a plan that cannot go well must end all the same. */
function makeResolution(random: Random): Extract<Command, { type: "resolve_incident" }> {
  const resolution = random.pick<IncidentResolution>([
    { action: "retry" },
    { action: "retry", input: { mended: true } },
    { action: "complete", output: { by: "a person" } },
    { action: "skip" },
    { action: "fail" },
  ]);
  return { type: "resolve_incident", nodeId: "", resolution, reason: "" };
}

function listAwaited({ state }: Runner): { nodeId: string; childId: string }[] {
  return Object.entries(state?.ending?.awaited ?? {}).map(([childId, nodeId]) => ({ nodeId, childId }));
}

const PEOPLE = ["ann", "bob", "eve", "kim"];

/** By whoever holds a task, or by one who has not answered it before. */
function listHumanAnswers({ plan, state }: Runner, random: Random): Command[] {
  return (state?.humanTasks ?? []).flatMap((task): Command[] => {
    if (task.endedAt !== undefined) return [];
    const by = task.assignee ?? PEOPLE.find((one) => task.answers.every((answer) => answer.by !== one)) ?? "zoe";
    const id = (plan.nodes[task.node] as LinkedNode).id;
    const taskId = humanTaskId(EXECUTION_ID, id, task);
    const { definition } = plan.nodes[task.node] as LinkedNode;
    const mends = task.proposed !== undefined && definition.kind === "human" && definition.quorum === undefined;
    return [
      {
        type: "answer_human_task",
        taskId,
        by,
        requestId: "",
        answer: { ok: random.chance(0.5) },
        ...(mends && random.chance(0.5) && { values: { n: random.below(3), list: [random.below(2)] } }),
      },
    ];
  });
}

/** What people do, whether they may or not. */
function makeHumanCommand({ plan, state }: Runner, random: Random): Command {
  const tasks = state?.humanTasks ?? [];
  const task = tasks.length === 0 ? undefined : random.pick(tasks);
  const id = task === undefined ? "n0" : (plan.nodes[task.node] as LinkedNode).id;
  const common = {
    taskId: humanTaskId(EXECUTION_ID, id, task ?? {}),
    by: random.pick(PEOPLE),
    requestId: random.pick(["", "", "h1", "h2"]),
  };
  return random.pick<Command>([
    { type: "claim_human_task", ...common },
    { type: "release_human_task", ...common },
    { type: "reassign_human_task", ...common, ...(random.chance(0.5) && { assignee: random.pick(PEOPLE) }) },
    { type: "reassign_human_task", ...common, groups: ["g", "g", "i"] },
    { type: "comment_on_human_task", ...common, text: "hm" },
    { type: "answer_human_task", ...common, answer: random.pick<Json>([null, { ok: true }, { ok: 1 }, {}]) },
    { type: "answer_human_task", ...common, answer: { ok: true }, values: 1 },
  ]);
}

function makeCommand(runner: Runner, random: Random, failureRate: number): Command {
  const answers = listAnswers(runner, random, failureRate);
  if (answers.length > 0 && random.chance(0.7)) return random.pick(answers);
  if (random.chance(0.2)) return makeHumanCommand(runner, random);
  const nodeId = random.pick(runner.plan.nodes).id;
  const others: Command[] = [
    { type: "fire_timers" },
    { type: "suspend", reason: "" },
    { type: "resume", reason: "" },
    { ...makeResolution(random), nodeId },
    {
      type: "signal",
      name: random.pick(["go", "stop", "other"]),
      ...(random.chance(0.4) && { key: random.pick(["0", "1", "x"]) }),
      payload: random.below(9),
      requestId: random.pick(["", "r1", "r2"]),
    },
    makeEvent(random, nodeId, "done", random.below(2), random.chance(0.5) ? undefined : "x"),
    {
      type: "update",
      name: random.pick(["note", "push", "await", "faulty", "other"]),
      payload: random.below(5),
      requestId: `u${random.below(6)}`,
    },
    // Late, repeated or invented results: they must be refused or count, never harm.
    { type: "complete_task", nodeId, attempt: 1 + random.below(2), output: null, startedAt: 0, worker: "w" },
    ...(failureRate > 0 ? [{ type: "fail_task" as const, nodeId, attempt: 1, failure: makeFailure(random) }] : []),
    { type: "complete_child", nodeId, childId: `child-of-${nodeId}`, output: null },
    startCommand({}),
  ];
  if (random.chance(0.05))
    return { type: "reset", from: [random.pick(runner.plan.nodes).id, nodeId], reason: "", requestId: "" };
  if (random.chance(0.005)) return { type: "terminate", reason: "" };
  // Rare as endings are: what holds one back, and what should end it all the same.
  if (runner.state?.ending !== undefined && random.chance(0.15))
    return random.chance(0.5) ? { type: "cancel", reason: "" } : { type: "suspend", reason: "" };
  return random.chance(0.02) ? { type: "cancel", reason: "" } : random.pick(others);
}

function makeEvent(random: Random, nodeId: string, name: string, run: number, key: string | undefined): Command {
  const event = {
    // Mostly a new one, so that loops go on.
    id: `other/${random.below(random.chance(0.2) ? 3 : 1_000_000)}`,
    name,
    ...(key !== undefined && { key }),
    payload: random.below(9),
    executionId: "other",
    workflowId: "source",
    occurredAt: 0,
  };
  return { type: "deliver_event", nodeId, run, event };
}

function makeFailure(random: Random): Failure {
  return random.pick<Failure>([
    { type: "timeout", message: "slow" },
    { type: "worker_lost", message: "gone" },
    { type: "http_error", message: "503", retryAfterMs: random.below(5_000) },
    { type: "bad", message: "never", retryable: random.chance(0.7) },
    { type: "declined", message: "no", business: true, details: { again: random.chance(0.5) } },
  ]);
}
