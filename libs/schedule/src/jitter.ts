import { nextTime } from "./next-time.ts";
import type { Timing } from "./timing.ts";

/**
 * How much later a start is than its time, whole milliseconds: the same for the same schedule and time, whoever asks and
 * however often, so that a restart neither moves nor repeats it. Less than the distance to the next time: order is kept.
 * `key` names the schedule.
 */
export function jitterOf(timing: Timing, key: string, timeMs: number): number {
  const { jitterMs = 0 } = timing;
  if (jitterMs === 0) return 0;
  const distanceMs = (nextTime({ recurrence: timing.recurrence }, timeMs) ?? Number.POSITIVE_INFINITY) - timeMs;
  return Math.floor(fractionOf(`${key}@${timeMs}`) * Math.min(jitterMs, distanceMs));
}

/** FNV-1a with a final mix, as a number from 0 to less than 1: names that differ in one letter must not come together. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
