import type { JsonObject } from "@heddle/engine";
import type { Timing } from "@heddle/schedule";

/** What a definition says about when its workflow starts by itself: part of the plan that the engine has no eye for. */
export interface PlanStarts {
  schedules?: PlanSchedule[];
  triggers?: PlanTrigger[];
}

/** Starts the workflow at given times. */
export interface PlanSchedule {
  /** Unique among the schedules of the definition. */
  id: string;
  timing: Timing;
  /** Starts after which it is done. */
  maxStarts?: number;
  overlap?: OverlapName;
  /** How far back missed starts are caught up. */
  catchUpWindowMs?: number;
  /** Template of the input, over `schedule`. */
  input?: JsonObject;
  paused?: boolean;
}

/** Starts the workflow when something has happened. */
export interface PlanTrigger {
  /** Unique among the triggers of the definition. */
  id: string;
  source: { kind: "execution_end"; workflowId: string; statuses: EndStatus[] };
  /** Expression over `event`, without `${}`. */
  filter?: string;
  /** Template of the input, over `event`. */
  input?: JsonObject;
}

export const OVERLAPS = ["skip", "buffer_one", "allow", "cancel_other"] as const;
export type OverlapName = (typeof OVERLAPS)[number];

export const END_STATUSES = ["completed", "failed", "canceled"] as const;
export type EndStatus = (typeof END_STATUSES)[number];
