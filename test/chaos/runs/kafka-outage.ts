import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionEvent } from "@heddle/proto/heddle/execution/v1/execution_event_pb.js";
import { isEnd, timeOf } from "../checks/history.ts";
import { runScenario } from "../scenario.ts";
import { drive } from "../workload/drive.ts";
import type { RunOptions, RunOutcome } from "./named-run.ts";
import { chainProgram, plainPlans } from "./plain-plans.ts";

export interface KafkaOutageOptions extends RunOptions {
  executions: number;
  outageMs: number;
  /** Load before the outage, and after it. A process takes some time until it needs as much memory as it will. */
  marginMs: number;
}

const STEPS = 5;
/** What an execution process may need beyond what it had when the outage began, whatever the outage's length. */
const GROWTH_LIMIT_MB = 128;
const MB = 2 ** 20;

/** Kafka is away for a while under load: executions go on, and afterwards every event arrives. */
export async function runKafkaOutage(options: KafkaOutageOptions): Promise<RunOutcome> {
  const { seed, folder, executions, outageMs, marginMs, log } = options;
  const program = chainProgram("five-steps", STEPS);
  const plans = plainPlans(program, executions, `kafka-${seed}`);
  const windowMs = outageMs + 2 * marginMs;
  const memory = { atBeginning: 0, most: 0 };
  const outcome = await runScenario({
    folder,
    executionReplicas: 1,
    schedulerReplicas: 1,
    workers: 2,
    slots: 50,
    programs: [program],
    plans,
    schedule: () => [{ atMs: marginMs, kind: "stop-kafka", target: "", durationMs: outageMs, amount: 0 }],
    load: ({ address }) => drive({ address, plans, windowMs, journal: join(folder, "records", "acknowledged.ndjson") }),
    async beside({ suite }) {
      const execution = suite.find("execution-0");
      await sleep(marginMs);
      memory.atBeginning = execution.residentBytes() ?? 0;
      for (let waitedMs = 0; waitedMs < outageMs; waitedMs += 500) {
        await sleep(500);
        memory.most = Math.max(memory.most, execution.residentBytes() ?? 0);
      }
    },
    log,
  });

  const outage = outcome.faults[0] ?? { beganMs: 0, endedMs: 0 };
  const from = outcome.beganAt + outage.beganMs;
  // Kafka is away until it was told to start again; its own start is not counted.
  const to = from + outageMs;
  const began = [...outcome.record.histories.values()].filter(([first]) => isWithin(first && timeOf(first), from, to));
  const endedMeanwhile = began.filter((history) => isWithin(endOf(history), from, to));
  outcome.figures["executions that began while Kafka was away"] = began.length;
  outcome.figures["of these ended while it was still away"] = endedMeanwhile.length;
  outcome.figures["memory of execution-0 when the outage began"] = `${Math.round(memory.atBeginning / MB)} MB`;
  outcome.figures["the most during the outage"] = `${Math.round(memory.most / MB)} MB`;
  const growth = Math.round((memory.most - memory.atBeginning) / MB);
  return {
    ...outcome,
    measurements: [
      { name: "growth of execution-0 during the outage", value: growth, unit: "MB", limit: GROWTH_LIMIT_MB },
      {
        // A handful begins in the last moments.
        name: "executions that began during the outage and did not end in it",
        value: began.length - endedMeanwhile.length,
        unit: "executions",
        limit: Math.ceil(began.length / 20),
      },
    ],
  };
}

function endOf(history: readonly ExecutionEvent[]): number | undefined {
  const end = history.find(isEnd);
  return end && timeOf(end);
}

function isWithin(time: number | undefined, from: number, to: number): boolean {
  return time !== undefined && time >= from && time <= to;
}
