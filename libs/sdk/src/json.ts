/** A JSON value, as handlers get and give it. */
export type { JsonObject, JsonValue as Json } from "@bufbuild/protobuf";
