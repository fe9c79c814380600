/** The keyword of JSON Schema, and a field of the dialect. */
export const THEN = "then";
