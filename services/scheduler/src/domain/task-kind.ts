import { type Task, TaskType } from "@heddle/proto/heddle/scheduler/v1/task_pb.js";

/** What decides which workers may have a task. Tasks of the same kind share a queue. */
export interface TaskKind {
  readonly type: TaskType;
  /** Name of the tool or agent. */
  readonly name: string;
  /** The task says itself what the agent is, so that a worker which has never heard the name can run it. Never of tools. */
  readonly described: boolean;
}

export function kindOf({ type, name, agent }: Task): TaskKind {
  return { type, name, described: type === TaskType.AGENT && agent !== undefined };
}
