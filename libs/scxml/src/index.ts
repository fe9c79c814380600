export { convertScxml, type ConvertedScxml, type ConvertScxmlOptions } from "./convert-scxml.ts";
export { documentMaxLength } from "./limits.ts";
export type { Problem } from "./problem.ts";
