import { setTimeout as sleep } from "node:timers/promises";
import { partitionOfId } from "@heddle/doctor";
import { DiagnosticsService } from "@heddle/proto/heddle/execution/v1/diagnostics_service_pb.js";
import { createGrpcTransport, createRpcClient } from "@heddle/rpc";
import { eventsOf, taskKey, timeOf } from "../checks/history.ts";
import type { RunRecord } from "../record/run-record.ts";
import { runScenario } from "../scenario.ts";
import type { ExecutionPlan } from "../workload/plan-executions.ts";
import { saturate } from "../workload/saturate.ts";
import type { Measurement, RunOptions, RunOutcome } from "./named-run.ts";
import { chainProgram } from "./plain-plans.ts";

export interface RecoveryOptions extends RunOptions {
  /** 1: it is started again at once, and that start is what counts. 2: the other one takes over. */
  replicas: 1 | 2;
  inFlight: number;
  /** Load before the kill, and after it. */
  halfMs: number;
}

const STEPS = 10;
const LIMIT_MS = 2_500;
const ASKED_BEFORE_MS = 2_000;
const VICTIM = "execution-0";
/** What the victim decided in the instant of the kill may bear a time just after it. */
const INSTANT_MS = 20;

/** An execution replica is killed with -9 at full load: how long until its executions take their next step? */
export async function runRecovery(options: RecoveryOptions): Promise<RunOutcome> {
  const { seed, folder, replicas, inFlight, halfMs, log } = options;
  const program = chainProgram("ten-steps", STEPS);
  const plans: ExecutionPlan[] = [];
  let owned = new Set<number>();
  const outcome = await runScenario({
    folder,
    executionReplicas: replicas,
    schedulerReplicas: 1,
    workers: 2,
    slots: 100,
    programs: [program],
    plans,
    schedule: () => [
      {
        atMs: halfMs,
        kind: "kill-service",
        target: VICTIM,
        // With a second replica the first stays away for long enough to see that it is not needed.
        durationMs: replicas === 1 ? 0 : halfMs,
        amount: 0,
      },
    ],
    load: ({ address }) =>
      saturate({ address, program, inFlight, durationMs: 2 * halfMs, run: `recovery-${seed}`, plans }),
    async beside({ suite }) {
      // Early enough for an answer on a busy machine: afterwards they are nobody's.
      await sleep(halfMs - ASKED_BEFORE_MS);
      owned = await partitionsOf(suite.address, VICTIM);
    },
    log,
  });

  const [kill] = outcome.faults;
  if (kill === undefined) throw new Error("the replica was not killed");
  const killedAt = outcome.beganAt + kill.beganMs;
  const countsFrom = replicas === 1 ? outcome.beganAt + kill.endedMs : killedAt;
  const first = firstStepByPartition(outcome.record, killedAt + INSTANT_MS);
  const busy = busyPartitions(outcome.record, killedAt);
  const waits = [...owned]
    .filter((partition) => busy.has(partition))
    .map((partition) => (first.get(partition) ?? Infinity) - countsFrom)
    .toSorted((a, b) => a - b);
  const rate = stepsPerSecond(outcome.record, killedAt - halfMs / 2, killedAt);
  outcome.figures["partitions of the killed replica"] = owned.size;
  outcome.figures["of these with executions under way"] = waits.length;
  outcome.figures["steps per second before the kill"] = rate;
  const since = replicas === 1 ? "its restart" : "the kill";
  const measure = (name: string, value: number | undefined): Measurement => ({
    name: `${name} after ${since}`,
    value: Math.round(value ?? Infinity),
    unit: "ms",
    limit: LIMIT_MS,
  });
  return {
    ...outcome,
    measurements: [
      measure("first step of its executions", waits[0]),
      measure("first step in the last of its partitions", waits.at(-1)),
    ],
  };
}

async function partitionsOf(address: string, owner: string): Promise<Set<number>> {
  const transport = createGrpcTransport(address);
  try {
    const { partitions } = await createRpcClient(DiagnosticsService, transport).describePartitions({});
    return new Set(partitions.filter((lease) => lease.owner === owner).map(({ partition }) => partition));
  } finally {
    transport.close();
  }
}

/** Partitions with an execution that had begun by then and ended later: in the others nothing was to go on. */
function busyPartitions({ histories }: RunRecord, at: number): Set<number> {
  const busy = new Set<number>();
  for (const [id, history] of histories) {
    const [first, last] = [history[0], history.at(-1)];
    if (first !== undefined && last !== undefined && timeOf(first) < at && timeOf(last) > at) {
      busy.add(partitionOfId(id));
    }
  }
  return busy;
}

/** When the first task began, in each partition, that was scheduled after the kill: seen by the worker that ran it. */
function firstStepByPartition({ histories, effects }: RunRecord, after: number): Map<number, number> {
  const begunAt = new Map(effects.filter(({ phase }) => phase === "begin").map(({ key, at }) => [key, at]));
  const first = new Map<number, number>();
  for (const [id, history] of histories) {
    const partition = partitionOfId(id);
    for (const { at, value } of eventsOf(history, "taskScheduled")) {
      const begun = begunAt.get(taskKey(id, value.nodeId, value.attempt));
      if (at < after || begun === undefined) continue;
      first.set(partition, Math.min(begun, first.get(partition) ?? Infinity));
    }
  }
  return first;
}

function stepsPerSecond({ effects }: RunRecord, from: number, to: number): number {
  const ended = effects.filter(({ phase, at }) => phase === "end" && at >= from && at < to);
  return Math.round((ended.length * 1_000) / (to - from));
}
