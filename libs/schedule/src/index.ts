export { findTimingFaults, type TimingFault } from "./faults.ts";
export { jitterOf } from "./jitter.ts";
export * from "./limits.ts";
export { dueTimes, type DueTimes, nextTime } from "./next-time.ts";
export type { Recurrence, Timing } from "./timing.ts";
