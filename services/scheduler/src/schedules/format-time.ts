/** RFC 3339 in UTC, without the milliseconds that times of schedules mostly do not have. */
export function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(".000Z", "Z");
}
