export const PARTITIONS = 64;

const LAST_BYTE_OF_UUID = 34;

/**
 * The partition of a task's execution: the low six bits of the execution id, which is a UUID and stands first in the task
 * id. Ids of another form get some partition, always the same.
 */
export function partitionIndex(taskId: string): number {
  const high = hexDigit(taskId.charCodeAt(LAST_BYTE_OF_UUID));
  const low = hexDigit(taskId.charCodeAt(LAST_BYTE_OF_UUID + 1));
  return (high * 16 + low) & (PARTITIONS - 1);
}

/** `<execution id>/<node id>/<attempt>` → the execution id. */
export function executionIdOf(taskId: string): string {
  const end = taskId.indexOf("/");
  return end < 0 ? taskId : taskId.slice(0, end);
}

function hexDigit(charCode: number): number {
  return charCode <= 57 ? charCode - 48 : (charCode | 0x20) - 87;
}
