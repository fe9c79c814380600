/** A JSON value. Numbers are IEEE doubles, as in JavaScript. Structurally the same as the engine's, which builds on this package. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}
