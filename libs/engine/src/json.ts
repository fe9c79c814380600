/** A JSON value. Numbers are IEEE doubles, as in JavaScript and google.protobuf.Value. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}
