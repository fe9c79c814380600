import type { FieldCompiler } from "@heddle/engine";
import type { LinkedDelay } from "./chart.ts";
import type { TimerPolicy } from "./chart-document.ts";

export function linkDelay(
  duration: number | string,
  policy: TimerPolicy = "absolute",
  path: string,
  event: string,
  compiler: FieldCompiler,
): LinkedDelay {
  return { duration: typeof duration === "number" ? duration : compiler.template(path, duration), policy, event };
}
