/** Events with consecutive numbers, both ends included. */
export interface SeqRange {
  first: number;
  last: number;
}

/** What replaying a history came to; `difference` is empty when it gave the state that it was compared with. */
export interface ReplayOutcome {
  reachedSeq: number;
  difference: string;
}

/** Who waits for a child. */
export interface ParentNode {
  executionId: string;
  nodeId: string;
  /** It goes on when its parent ends, or no longer waits. */
  outlives?: boolean;
}

/** An execution as it is stored. Times are milliseconds since the epoch. */
export interface StoredExecution {
  executionId: string;
  namespace: string;
  ended: boolean;
  /** Number of the last event that its snapshot has seen. */
  lastSeq: number;
  /** Empty when the caller gave none. */
  requestId: string;
  parent?: ParentNode;
  /** What its history holds, in the order of the chunks. */
  history: readonly SeqRange[];
  /** Absent when it was not replayed. */
  replay?: ReplayOutcome;
  nextTimerAt?: number;
  /** Nodes under way. */
  activeNodes: readonly string[];
}

/** What one node waits for: several at once for a signal with a time-out. */
export interface NodeWait {
  nodeId: string;
  taskId?: string;
  /** Whether the owner keeps the task, to tell the scheduler of it. */
  taskOpen?: boolean;
  childExecutionId?: string;
  signal?: string;
  /** An event of another execution, or from outside. */
  event?: string;
  dueAt?: number;
  /** For other nodes of the same execution. */
  branches?: boolean;
  /** A state machine, or its creation. */
  machine?: boolean;
  /** People, who answer this task. */
  humanTaskId?: string;
  /** A person, who says how to go on after a failure. */
  incident?: boolean;
}

/** An execution in the memory of the process that owns it. */
export interface LiveExecution {
  executionId: string;
  namespace: string;
  requestId: string;
  lastSeq: number;
  ended: boolean;
  suspended: boolean;
  /** Set aside, because its events cannot be replayed. */
  quarantined: boolean;
  parent?: ParentNode;
  waits: readonly NodeWait[];
  /** When it wants to be woken. */
  nextTimerAt?: number;
  /** When it will be. */
  armedTimerAt?: number;
  /** Absent when it was not replayed, or moved on too fast. */
  replay?: ReplayOutcome;
}

/** A state machine as it is stored. Times are milliseconds since the epoch. */
export interface StoredMachine {
  machineId: string;
  namespace: string;
  ended: boolean;
  suspended: boolean;
  /** Number of the last event that its snapshot has seen. */
  lastSeq: number;
  /** What its history holds, in the order of the chunks. */
  history: readonly SeqRange[];
  /** Absent when it was not replayed. */
  replay?: ReplayOutcome;
  nextTimerAt?: number;
  /** What it has still to do outside. */
  owed: readonly { kind: "start" | "cancel" | "message"; name: string }[];
  /** What its states have invoked and wait for. */
  running: readonly { invokeId: string; startedId: string; kind: "execution" | "machine" }[];
  /** The machine whose state has invoked it. */
  parentMachineId?: string;
}

/** A task as the scheduler knows it. */
export interface ScheduledTask {
  taskId: string;
  /** Where it was found. */
  shard: number;
  state: "recovering" | "waiting" | "running" | "finished";
  /** Empty without a lease. */
  workerId: string;
}

/** A worker as the scheduler knows it. */
export interface WorkerLoad {
  namespace: string;
  workerId: string;
  slots: number;
  leases: number;
  capabilities: readonly { name: string; maxConcurrent: number; running: number }[];
}

/** Who owns a part of the work by the database: a partition of the executions or of the state machines, or a shard of the scheduler. */
export interface Lease {
  kind: "partition" | "shard" | "machine partition";
  number: number;
  /** Empty when it is assigned to nobody. */
  owner: string;
  /** Whether the owner's lease runs. */
  live: boolean;
  epoch: number;
  /** By what epoch the process that answered owns it; absent when none did. */
  answeredEpoch?: number;
}

/** What was committed to a partition when the check began, and what of it has arrived since. */
export interface Progress {
  partition: number;
  committedOffset: number;
  projectedOffset: number;
  /** By name of the publisher. */
  publishedOffsets: ReadonlyMap<string, number>;
}

/** Messages that a consumer could not handle and has set aside. */
export interface ParkedMessages {
  service: string;
  group: string;
  topic: string;
  count: number;
  lastError: string;
}

/** All that was seen of a suite, or of a part of it. */
export interface SuiteFacts {
  /** The clock of the suite, milliseconds since the epoch. */
  now: number;
  /** Partitions whose owner has answered: of the others nothing is known of what is in memory. */
  inspectedPartitions: ReadonlySet<number>;
  /** Whether the tasks of all shards were seen. */
  tasksComplete: boolean;
  stored: ReadonlyMap<string, StoredExecution>;
  live: ReadonlyMap<string, LiveExecution>;
  /** By id. */
  machines: ReadonlyMap<string, StoredMachine>;
  /** Events in the journal that are not in the histories, by execution, in the order of the journal. */
  unprojected: ReadonlyMap<string, readonly SeqRange[]>;
  /** By task id; more than one when several shards have it. */
  tasks: ReadonlyMap<string, readonly ScheduledTask[]>;
  workers: readonly WorkerLoad[];
  leases: readonly Lease[];
  progress: readonly Progress[];
  parked: readonly ParkedMessages[];
}
