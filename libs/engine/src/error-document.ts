import type { Json } from "./json.ts";

// What a definition says of failures: which ones are meant, and what becomes of the node or the execution.

/** `technical`: something is broken or late. `business`: what was asked for cannot be, and the process has to answer that. */
export type FailureClass = "technical" | "business";

/** Which failures a handler is about. */
export interface ErrorMatch {
  /** Types of the failure; absent: all. */
  types?: string[];
  /** Absent: both. */
  class?: FailureClass;
  /** Expression that sees `error` beside everything that the node, or the workflow's output, sees. */
  when?: string;
}

/** What becomes of a node that has failed for good. */
export type ErrorHandler = ErrorMatch &
  /** `incident`: it waits for a person, who says how to go on. */
  (
    | { action: "fail" | "skip" | "incident" }
    /** Template, which sees `error`; it becomes the node's output. */
    | { action: "continue"; value: Json }
    /** This node runs now, and its end is the node's. */
    | { action: "fallback"; target: number }
  );

/** What becomes of an execution that is to fail. */
export type WorkflowErrorHandler = ErrorMatch &
  (
    | { action: "fail"; failure?: FailureTemplate }
    /** Template, which sees `error`; the execution completes with it. */
    | { action: "continue"; value: Json }
    /**
     * A node of the workflow itself that nothing waits for and that waits for nothing: everything else stops, it runs, and its output is the
     * execution's.
     */
    | { action: "fallback"; target: number }
  );

/** The failure that stands for the one that is handled. What is absent is as in that one. */
export interface FailureTemplate {
  /** Template of a text. */
  type?: Json;
  /** Template of a text. */
  message?: Json;
  class?: FailureClass;
  /** Template. */
  details?: Json;
}
