import type { RuleName } from "./rules.ts";

/** Something that is wrong, or looks wrong, in a definition. */
export interface Finding {
  /** Stable id of the rule, e.g. `HD204`. */
  ruleId: string;
  /** Its name, e.g. `cycle`. */
  rule: RuleName;
  severity: "error" | "warning";
  /** What is wrong, with the names that are concerned. */
  message: string;
  /** What to do about it. */
  hint: string;
  /** Place in the source, counted from 1; columns in characters (code points). */
  line: number;
  column: number;
  /** The end, exclusive, when the place is more than a point. */
  endLine: number;
  endColumn: number;
  /** Place in the document, e.g. `workflow.nodes[2].inputs.url`; empty for the document itself. */
  path: string;
}
