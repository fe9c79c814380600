import type { HeldTask } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { WorkerLimits } from "../limits.ts";

/** Results that travel together under one number. */
export interface ResultFrame {
  number: number;
  results: TaskResult[];
  chars: number;
}

type OutboxLimits = Pick<
  WorkerLimits,
  "frameMaxResults" | "frameMaxChars" | "unacknowledgedMaxResults" | "unacknowledgedMaxChars"
>;

/**
 * Results on their way to the server. They are kept until the server says that they are durable, so that a broken stream
 * or a restarted server loses none; frame numbers grow over all streams of the process.
 */
export interface Outbox {
  add(result: TaskResult): void;
  /** Packs what was added since the last call into frames. They count as sent: `unacknowledged` gives them again. */
  takeFrames(): ResultFrame[];
  /** Forgets every frame up to this number. */
  acknowledge(upToFrame: number): void;
  /** Forgets the results of these tasks: nobody waits for them any more. */
  drop(taskIds: ReadonlySet<string>): void;
  /** Frames that were taken and not acknowledged, in order, for a new stream. */
  unacknowledged(): readonly ResultFrame[];
  /** Tasks whose results are still here. */
  held(): HeldTask[];
  /** Results that are still here. */
  readonly size: number;
  /** True when no further work should be begun until results are acknowledged. */
  readonly full: boolean;
}

export function createOutbox(limits: OutboxLimits): Outbox {
  let added: TaskResult[] = [];
  let frames: ResultFrame[] = [];
  let lastNumber = 0;
  let size = 0;
  let chars = 0;

  const forget = (frame: ResultFrame) => {
    size -= frame.results.length;
    chars -= frame.chars;
  };

  return {
    add(result) {
      added.push(result);
      size += 1;
      chars += charsOf(result);
    },
    takeFrames() {
      if (added.length === 0) return [];
      const taken = pack(added, limits, () => (lastNumber += 1));
      added = [];
      frames.push(...taken);
      return taken;
    },
    acknowledge(upToFrame) {
      let count = 0;
      for (const frame of frames) {
        if (frame.number > upToFrame) break;
        forget(frame);
        count += 1;
      }
      if (count > 0) frames = frames.slice(count);
    },
    drop(taskIds) {
      if (taskIds.size === 0) return;
      const kept = (result: TaskResult) => !taskIds.has(result.taskId);
      frames = frames.flatMap((frame) => {
        const results = frame.results.filter(kept);
        return results.length === 0 ? [] : [{ ...frame, results, chars: charsOfAll(results) }];
      });
      added = added.filter(kept);
      size = added.length + frames.reduce((sum, frame) => sum + frame.results.length, 0);
      chars = charsOfAll(added) + frames.reduce((sum, frame) => sum + frame.chars, 0);
    },
    unacknowledged: () => frames,
    held: () => [...frames.flatMap((frame) => frame.results), ...added].map(heldTask),
    get size() {
      return size;
    },
    get full() {
      return size >= limits.unacknowledgedMaxResults || chars >= limits.unacknowledgedMaxChars;
    },
  };
}

function pack(results: TaskResult[], limits: OutboxLimits, nextNumber: () => number): ResultFrame[] {
  const frames: ResultFrame[] = [];
  let frame: ResultFrame | undefined;
  for (const result of results) {
    const chars = charsOf(result);
    const fits =
      frame !== undefined &&
      frame.results.length < limits.frameMaxResults &&
      frame.chars + chars <= limits.frameMaxChars;
    if (frame === undefined || !fits) {
      frame = { number: nextNumber(), results: [], chars: 0 };
      frames.push(frame);
    }
    frame.results.push(result);
    frame.chars += chars;
  }
  return frames;
}

function charsOf({ output, failure }: TaskResult): number {
  const text = failure === undefined ? 0 : failure.message.length + jsonLength(failure.details);
  return text + jsonLength(output);
}

function jsonLength(payload: TaskResult["output"]): number {
  return payload?.form.case === "json" ? payload.form.value.length : 0;
}

function charsOfAll(results: TaskResult[]): number {
  return results.reduce((sum, result) => sum + charsOf(result), 0);
}

function heldTask({ taskId, fencingToken, startedAtMs }: TaskResult): HeldTask {
  return { $typeName: "heddle.worker.v1.HeldTask", taskId, fencingToken, startedAtMs };
}
