import type { SourceTree } from "../source-tree.ts";
import { isTest } from "../rule.ts";

const SOURCES = /^(libs|services)\/[^/]+\/src\//;
const JOURNAL_METRICS = "libs/journal-service/src/journal-metrics.ts";

/** The names of all metrics that the code registers, with those that a histogram adds. */
export function listExportedMetrics(tree: SourceTree): Set<string> {
  const names = new Set<string>();
  const journal = tree.sources.find(({ path }) => path === JOURNAL_METRICS)?.text ?? "";
  const journalNames = matches(journal, /\["(\w+)", "[A-Z]/g);
  for (const { path, text } of tree.sources) {
    if (!SOURCES.test(path) || isTest(path)) continue;
    for (const name of matches(text, /(?:counter|gauge)\(\s*"(heddle_\w+)"/g)) names.add(name);
    for (const name of matches(text, /name: "(heddle_\w+)"/g)) names.add(name);
    for (const name of matches(text, /histogram\(\s*"(heddle_\w+)"/g)) {
      for (const suffix of ["bucket", "sum", "count"]) names.add(`${name}_${suffix}`);
    }
    // A prefix that a file puts before the names that it gives.
    const [prefix] = matches(text, /gauge\(`(heddle_\w+_)\$\{name\}`/g);
    if (prefix !== undefined) for (const name of matches(text, /\bgauge\("(\w+)",/g)) names.add(`${prefix}${name}`);
    for (const owner of matches(text, /registerJournalMetrics\(\w+, "(heddle_\w+)"/g)) {
      for (const name of journalNames) names.add(`${owner}_${name}`);
    }
  }
  return names;
}

/** The metrics that an expression of Prometheus asks for. `up` is Prometheus' own. */
export function metricsOf(expression: string): string[] {
  return [...new Set(matches(expression, /\b(heddle_\w+)\b/g))];
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}
