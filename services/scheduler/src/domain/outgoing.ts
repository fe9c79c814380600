import type { OpenLinkResponse } from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import type { Task, TaskResult } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import type { ConnectResponse } from "@heddle/proto/heddle/worker/v1/worker_service_pb.js";
import type { SchedulerLimits } from "../limits.ts";
import { deliveredTask } from "./messages.ts";
import type { Owner, TaskEntry, WorkerOutbox } from "./model.ts";

/*
 * Frames are made when the stream takes them, from all that has gathered until then: a slow stream gets fewer and larger
 * ones, and nothing waits for a timer.
 */

/** Takes everything that waits for a worker, as frames. */
export function takeWorkerFrames(outbox: WorkerOutbox, limits: SchedulerLimits): ConnectResponse[] {
  const frames: ConnectResponse[] = [];
  const { leases, canceledTaskIds, refusals, acknowledgedFrame } = outbox;
  // Before the tasks: one of them may be the next delivery of a task that was canceled.
  if (canceledTaskIds.length > 0) {
    outbox.canceledTaskIds = [];
    frames.push(
      workerFrame({ case: "cancel", value: { $typeName: "heddle.worker.v1.WorkerCancel", taskIds: canceledTaskIds } }),
    );
  }
  if (leases.length > 0) {
    outbox.leases = [];
    const tasks: Task[] = [];
    for (const lease of leases) {
      const { task, lease: current } = lease.entry;
      if (current === lease && task !== undefined) tasks.push(deliveredTask(task, lease.token));
    }
    for (const part of split(tasks, taskChars, limits)) {
      frames.push(workerFrame({ case: "tasks", value: { $typeName: "heddle.worker.v1.WorkerTasks", tasks: part } }));
    }
  }
  if (refusals.length > 0) {
    outbox.refusals = [];
    frames.push(workerFrame({ case: "refusals", value: { $typeName: "heddle.worker.v1.WorkerRefusals", refusals } }));
  }
  if (acknowledgedFrame > 0n) {
    outbox.acknowledgedFrame = 0n;
    frames.push(
      workerFrame({
        case: "acknowledge",
        value: { $typeName: "heddle.worker.v1.WorkerAcknowledge", upToFrame: acknowledgedFrame },
      }),
    );
  }
  return frames;
}

/** Takes what waits for an owner, as frames; results only up to the bound on unacknowledged ones. */
export function takeLinkFrames(owner: Owner, limits: SchedulerLimits): OpenLinkResponse[] {
  const frames: OpenLinkResponse[] = [];
  const room = limits.unacknowledgedResultsMax - owner.unacknowledged;
  if (owner.results.length > 0 && room > 0) {
    const taken = owner.results.splice(0, room);
    // Some may have been canceled since, or gone to another owner.
    const entries = taken.filter((entry) => entry.reportedTo === owner && entry.result !== undefined);
    for (const part of split(entries, entryChars, limits)) frames.push(resultFrame(owner, part));
  }
  if (owner.progress.length > 0) {
    const tasks = owner.progress;
    owner.progress = [];
    frames.push(linkFrame({ case: "progress", value: { $typeName: "heddle.scheduler.v1.LinkProgress", tasks } }));
  }
  if (owner.pulse) {
    owner.pulse = false;
    if (frames.length === 0) frames.push(pulseFrame());
  }
  return frames;
}

function resultFrame(owner: Owner, entries: TaskEntry[]): OpenLinkResponse {
  owner.lastFrame += 1n;
  owner.unacknowledged += entries.length;
  owner.frames.push({ number: owner.lastFrame, entries });
  const results = entries.map(({ result }) => result as TaskResult);
  return linkFrame({
    case: "results",
    value: { $typeName: "heddle.scheduler.v1.LinkResults", frame: owner.lastFrame, results },
  });
}

export function workerFrame(frame: ConnectResponse["frame"]): ConnectResponse {
  return { $typeName: "heddle.worker.v1.ConnectResponse", frame };
}

export function pulseFrame(): OpenLinkResponse {
  return linkFrame({ case: "pulse", value: { $typeName: "heddle.scheduler.v1.LinkPulse" } });
}

export function linkFrame(frame: OpenLinkResponse["frame"]): OpenLinkResponse {
  return { $typeName: "heddle.scheduler.v1.OpenLinkResponse", frame };
}

/** Parts that keep the bounds of one frame; an item that is larger than the bound by itself is alone in its part. */
function split<T>(items: T[], charsOf: (item: T) => number, limits: SchedulerLimits): T[][] {
  const parts: T[][] = [];
  let start = 0;
  let chars = 0;
  for (let index = 0; index < items.length; index++) {
    const more = charsOf(items[index] as T);
    if (index > start && (index - start >= limits.frameMaxItems || chars + more > limits.framePayloadChars)) {
      parts.push(items.slice(start, index));
      start = index;
      chars = 0;
    }
    chars += more;
  }
  if (start === 0) return items.length === 0 ? [] : [items];
  parts.push(items.slice(start));
  return parts;
}

function taskChars({ input, agent }: Task): number {
  return payloadChars(input) + payloadChars(agent);
}

function entryChars({ result }: TaskEntry): number {
  return payloadChars(result?.output);
}

function payloadChars(payload: Task["input"]): number {
  return payload?.form.case === "json" ? payload.form.value.length : 0;
}
