/** When a schedule starts something. Plain data: it is stored and sent as JSON. */
export interface Timing {
  recurrence: Recurrence;
  /** No time before this one, milliseconds since the epoch. */
  startAtMs?: number;
  /** No time after this one, milliseconds since the epoch. */
  endAtMs?: number;
  /** Each start is later by a part of this. */
  jitterMs?: number;
}

export type Recurrence =
  /** Five fields, or six with seconds first, read in an IANA time zone. */
  | { kind: "cron"; cron: string; timeZone: string }
  /** At `offsetMs` and all multiples of the interval from there. */
  | { kind: "interval"; intervalMs: number; offsetMs: number }
  /** Once, milliseconds since the epoch. */
  | { kind: "at"; atMs: number };
