import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type ExecutionState, linkPlan } from "@heddle/engine";
import type { BenchCase } from "./cases.ts";
import { checkExecution, playExecution } from "./executions.ts";

export interface HeapSample {
  events: number;
  heapMb: number;
}

/**
 * Keeps `inFlight` executions going until `totalEvents` have happened, each finished one replaced by a new one, and takes
 * the heap after a full collection at ten points on the way. A leak of one word per event would show as 76 MB in ten million.
 */
export function measureMemory(bench: BenchCase, totalEvents: number, inFlight: number): HeapSample[] {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const plan = linkPlan(bench.document);
  let events = 0;
  const start = () => playExecution(plan, (turn) => (events += turn.length));
  const executions = Array.from({ length: inFlight }, start);
  const samples: HeapSample[] = [];
  let finished = 0;
  for (let next = 0; samples.length < 10; next = (next + 1) % inFlight) {
    const step = (executions[next] as Generator<undefined, ExecutionState>).next();
    if (step.done) {
      checkExecution(bench, step.value);
      finished++;
      executions[next] = start();
    }
    if (events >= ((samples.length + 1) * totalEvents) / 10) {
      collect();
      samples.push({ events, heapMb: process.memoryUsage().heapUsed / 2 ** 20 });
    }
  }
  if (finished < events / bench.eventsPerExecution - inFlight) throw new Error(`only ${finished} executions finished`);
  return samples;
}
