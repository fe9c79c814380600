import type { Json } from "@heddle/engine";
import {
  LinkService,
  type OpenLinkResponse,
  type OpenLinkResponseSchema,
} from "@heddle/proto/heddle/scheduler/v1/link_service_pb.js";
import type { Task, TaskResultSchema } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";
import { createPushable, type Pushable, type Routes } from "@heddle/rpc";
import { shardOf } from "@heddle/shards";
import type { MessageInitShape } from "@bufbuild/protobuf";

type Result = MessageInitShape<typeof TaskResultSchema>;
type Out = Pushable<MessageInitShape<typeof OpenLinkResponseSchema>>;

/** What a test lets a task come to; undefined leaves it open. */
export type Answer = (task: Task, input: Json) => { output?: Json; failure?: Result["failure"] } | undefined;

/** The scheduler's end of the link, played by a test: it answers tasks by a function, and remembers all that was said. */
export interface ScriptedScheduler {
  routes: Routes;
  /** Ids in the order in which they came, by schedule or sync, repeats included. */
  readonly seen: string[];
  readonly canceled: string[];
  readonly acknowledged: bigint[];
  /** Open tasks by the last word of the owner. */
  readonly open: ReadonlyMap<string, Task>;
  send(results: Result[]): void;
  answer: Answer;
}

export function createScriptedScheduler(answer: Answer = () => undefined): ScriptedScheduler {
  const open = new Map<string, Task>();
  /** By shard; results count their frames on each. */
  const links = new Map<number, { out: Out; frame: bigint }>();
  /** Where a task came from: there its result goes. */
  const shardOfTask = new Map<string, number>();

  const scheduler: ScriptedScheduler = {
    seen: [],
    canceled: [],
    acknowledged: [],
    open,
    answer,
    send(results) {
      // What nobody has asked for comes like everything else of the default namespace.
      const shardOfResult = ({ taskId = "" }: Result) => shardOfTask.get(taskId) ?? shardOf("default");
      for (const shard of new Set(results.map(shardOfResult))) {
        const link = links.get(shard);
        if (link === undefined) continue;
        link.frame += 1n;
        const part = results.filter((result) => shardOfResult(result) === shard);
        link.out.push({ frame: { case: "results", value: { frame: link.frame, results: part } } });
      }
    },
    routes: (router) =>
      router.service(LinkService, {
        async *openLink(requests, context) {
          const mine = createPushable<MessageInitShape<typeof OpenLinkResponseSchema>>({ signal: context.signal });
          const reading = read(requests, mine).catch(() => mine.end());
          yield* mine as AsyncIterable<OpenLinkResponse>;
          await reading;
        },
      }),
  };

  async function read(
    requests: AsyncIterable<{ frame: { case?: string; value?: unknown } }>,
    mine: Out,
  ): Promise<void> {
    let shard = 0;
    for await (const request of requests) {
      const { case: kind, value } = request.frame as { case: string; value: never };
      if (kind === "hello") {
        ({ shard } = value);
        links.set(shard, { out: mine, frame: 0n });
        mine.push({ frame: { case: "welcome", value: { schedulerEpoch: 1n } } });
      }
      if (kind === "sync" || kind === "schedule") take((value as { tasks: Task[] }).tasks, shard);
      if (kind === "acknowledge") scheduler.acknowledged.push((value as { upToFrame: bigint }).upToFrame);
      if (kind === "cancel") {
        for (const taskId of (value as { taskIds: string[] }).taskIds) {
          open.delete(taskId);
          scheduler.canceled.push(taskId);
        }
      }
    }
  }

  function take(tasks: readonly Task[], shard: number): void {
    const results: Result[] = [];
    for (const task of tasks) {
      shardOfTask.set(task.taskId, shard);
      scheduler.seen.push(task.taskId);
      open.set(task.taskId, task);
      const result = resultOf(task, scheduler.answer);
      if (result !== undefined) results.push(result);
    }
    if (results.length > 0) scheduler.send(results);
  }
  return scheduler;
}

function resultOf(task: Task, answer: Answer): Result | undefined {
  const input = task.input?.form.case === "json" ? (JSON.parse(task.input.form.value) as Json) : null;
  const said = answer(task, input);
  if (said === undefined) return undefined;
  return completed(task, said);
}

/** A worker's result for the task. */
export function completed(task: Pick<Task, "taskId">, said: { output?: Json; failure?: Result["failure"] }): Result {
  return {
    taskId: task.taskId,
    worker: "scripted",
    startedAtMs: BigInt(Date.now()),
    ...(said.failure !== undefined
      ? { failure: said.failure }
      : { output: { form: { case: "json", value: JSON.stringify(said.output ?? null) } } }),
  };
}
