import { BinaryReader } from "@bufbuild/protobuf/wire";

/** Fields of StateMachineEvent before what has happened: machine id, seq, time. */
const FIRST_OF_ONEOF = 4;
/** finished, failed, deleted. */
const ENDS: ReadonlySet<number> = new Set([8, 9, 11]);

/** Whether the bytes of a StateMachineEvent are those of an end, without decoding it: most events are none. */
export function isMachineEnd(bytes: Uint8Array): boolean {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field >= FIRST_OF_ONEOF) return ENDS.has(field);
    reader.skip(wireType);
  }
  return false;
}
