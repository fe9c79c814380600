import { BinaryReader } from "@bufbuild/protobuf/wire";

/** Fields of ExecutionEvent before what has happened: execution id, seq, time. */
const FIRST_OF_ONEOF = 4;
const CUSTOM_EVENT_EMITTED = 21;

/** Whether the bytes of an ExecutionEvent are those of a definition's own event, without decoding it: most events are none. */
export function isCustomEvent(bytes: Uint8Array): boolean {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field >= FIRST_OF_ONEOF) return field === CUSTOM_EVENT_EMITTED;
    reader.skip(wireType);
  }
  return false;
}
