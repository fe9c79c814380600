/** One thing that is not as it was promised. */
export interface Finding {
  /** The same whenever the same thing is found again: what was seen in passing has another one, or none, at the next look. */
  key: string;
  /** What it is about: an execution, else what the message names. */
  executionId?: string;
  /** What it is about: a state machine. */
  machineId?: string;
  /** Executions that must be looked at to find it again, its own included. */
  executionIds: readonly string[];
  /** State machines that must be looked at to find it again, its own included. */
  machineIds: readonly string[];
  /** Tasks of the scheduler that must be looked at to find it again. */
  taskIds: readonly string[];
  /** What is wrong, and what it means. */
  message: string;
}

/** What a check came to. */
export interface CheckResult {
  /** How many things it looked at. */
  looked: number;
  findings: Finding[];
}

/** A finding about one execution; `detail` tells it from others about the same one. */
export function aboutExecution(
  executionId: string,
  detail: string,
  message: string,
  related: { executionIds?: readonly string[]; taskIds?: readonly string[] } = {},
): Finding {
  return {
    key: `${executionId} ${detail}`,
    executionId,
    executionIds: [executionId, ...(related.executionIds ?? [])],
    machineIds: [],
    taskIds: related.taskIds ?? [],
    message,
  };
}

/** A finding about one state machine; `detail` tells it from others about the same one. */
export function aboutMachine(
  machineId: string,
  detail: string,
  message: string,
  related: { executionIds?: readonly string[]; machineIds?: readonly string[] } = {},
): Finding {
  return {
    key: `${machineId} ${detail}`,
    machineId,
    executionIds: related.executionIds ?? [],
    machineIds: [machineId, ...(related.machineIds ?? [])],
    taskIds: [],
    message,
  };
}

/** A finding about something else: a partition, a worker, a publisher. */
export function aboutSuite(key: string, message: string): Finding {
  return { key, executionIds: [], machineIds: [], taskIds: [], message };
}
