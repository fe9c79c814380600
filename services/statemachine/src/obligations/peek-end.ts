import { BinaryReader } from "@bufbuild/protobuf/wire";

// Field numbers of ends in the events: most events are none, and need not be decoded to see that.
const EXECUTION_ENDS = new Set([5, 6, 7]);
/** And what an execution emits on its way. */
const EXECUTION_REPORTS = new Set([...EXECUTION_ENDS, 21]);
const MACHINE_ENDS = new Set([8, 9, 11]);
/** Fields before the oneof: id, seq, time. */
const FIRST_OF_ONEOF = 4;

/** Whether these bytes are an ExecutionEvent that ends an execution. */
export function isExecutionEnd(bytes: Uint8Array): boolean {
  return isAmong(EXECUTION_ENDS, bytes);
}

/** Whether these bytes are an ExecutionEvent that a machine may hear of which has invoked the execution. */
export function isExecutionReport(bytes: Uint8Array): boolean {
  return isAmong(EXECUTION_REPORTS, bytes);
}

/** Whether these bytes are a StateMachineEvent that ends a machine. */
export function isMachineEnd(bytes: Uint8Array): boolean {
  return isAmong(MACHINE_ENDS, bytes);
}

function isAmong(fields: ReadonlySet<number>, bytes: Uint8Array): boolean {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field >= FIRST_OF_ONEOF) return fields.has(field);
    reader.skip(wireType, field);
  }
  return false;
}
