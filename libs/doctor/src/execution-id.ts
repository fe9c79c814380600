const ID_LENGTH = 36;
const PARTITION_MASK = 0x3f;

/** The partition in an execution's id: the low six bits of its last byte. */
export function partitionOfId(executionId: string): number {
  return Number.parseInt(executionId.slice(-2), 16) & PARTITION_MASK;
}

/** When the id was made, milliseconds since the epoch; a child has its parent's time. */
export function timeOfId(executionId: string): number {
  return Number.parseInt(executionId.slice(0, 8) + executionId.slice(9, 13), 16);
}

/** The execution that a task id begins with. */
export function executionOfTask(taskId: string): string {
  return taskId.slice(0, ID_LENGTH);
}
