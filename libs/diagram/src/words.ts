import type { Json } from "@heddle/engine";
import { expressionColumns } from "./limits.ts";

const UNITS: readonly [name: string, ms: number][] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];

/** As one writes it in a definition: `2d`, `1h30m`. */
export function durationText(ms: number): string {
  let rest = ms;
  let text = "";
  for (const [name, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count === 0) continue;
    text += `${count}${name}`;
    rest -= count * size;
  }
  return text || "0s";
}

/** A template or an expression, in one line that is not too long. */
export function shorten(value: Json): string {
  const text = (typeof value === "string" ? value : JSON.stringify(value)).replaceAll(/\s+/g, " ").trim();
  return text.length > expressionColumns ? `${text.slice(0, expressionColumns - 1)}…` : text;
}

/** A delay as the compiled form has it: milliseconds, or a template. */
export function delayText(delay: number | string): string {
  return typeof delay === "number" ? durationText(delay) : shorten(delay);
}
