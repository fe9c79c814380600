import type { Worker, WorkerFrame } from "./model.ts";
import type { SchedulerState } from "./state.ts";
import { forgetWorkerIfGone } from "./worker-registry.ts";

/** The frame, open until `settleFrame` was called once more than its results were left open. */
export function openFrame(worker: Worker, number: bigint): WorkerFrame {
  const frame: WorkerFrame = { worker, number, open: 1 };
  // Frames come in order; only repeats after a reconnect are known or belong before others.
  let index = worker.frames.length;
  while (index > 0 && (worker.frames[index - 1] as WorkerFrame).number >= number) index -= 1;
  const known = worker.frames[index];
  if (known?.number === number) {
    known.open += 1;
    return known;
  }
  worker.frames.splice(index, 0, frame);
  return frame;
}

/** One result of the frame is durable or over. Acknowledges every frame that has nothing open before it. */
export function settleFrame(state: SchedulerState, frame: WorkerFrame): void {
  frame.open -= 1;
  const { worker } = frame;
  if (frame.open > 0 || worker.frames[0] !== frame) return;
  let settled = 0;
  while (worker.frames[settled]?.open === 0) settled += 1;
  const last = worker.frames[settled - 1] as WorkerFrame;
  worker.frames.splice(0, settled);
  if (last.number > worker.acknowledgedFrame) worker.acknowledgedFrame = last.number;
  worker.outbox.acknowledgedFrame = worker.acknowledgedFrame;
  state.filled.add(worker.outbox);
  forgetWorkerIfGone(worker);
}
