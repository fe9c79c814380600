const UNIT_MS = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);
const DURATION = /^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;
/** Longer texts are no durations; the patterns above never see them. */
const MAX_LENGTH = 64;

/** `500ms`, `30s`, `1.5h`, `1h30m` in milliseconds, rounded; undefined when the text is no duration. A number without a unit is seconds. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed.length > MAX_LENGTH) return undefined;
  if (/^\d{1,9}(?:\.\d{1,6})?$/.test(trimmed)) return Math.round(Number(trimmed) * 1_000);
  if (!DURATION.test(trimmed)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of trimmed.matchAll(PART)) ms += Number(amount) * UNIT_MS.get(unit!)!;
  return Math.round(ms);
}
