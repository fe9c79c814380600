import { describeType, type Json, parseDuration } from "@heddle/engine";
import type { Scope } from "@heddle/expression";
import type { LinkedDelay } from "./chart.ts";
import { ChartFault, evaluate } from "./fault.ts";

/** Ten years; a longer delay is a slip. */
const MAX_DELAY_MS = 315_360_000_000;

/** Milliseconds. @throws ChartFault */
export function evaluateDelay({ duration }: LinkedDelay, scope: Scope): number {
  if (typeof duration === "number") return duration;
  const value = evaluate(duration, scope);
  const durationMs = toMilliseconds(value);
  if (durationMs !== undefined && durationMs >= 0 && durationMs <= MAX_DELAY_MS) return durationMs;
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : describeType(value);
  throw new ChartFault(
    duration.path,
    `${shown} is no delay; give milliseconds or a text like 500ms, 30s, 5m, 1h30m, 2d`,
  );
}

function toMilliseconds(value: Json): number | undefined {
  if (typeof value === "number") return Math.round(value);
  return typeof value === "string" ? parseDuration(value) : undefined;
}
