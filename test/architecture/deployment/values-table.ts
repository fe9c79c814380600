import { isMap, parse, parseDocument, type YAMLMap } from "yaml";

/** One row of the table: where the value is, what it is when nothing is given, and what it means. */
export interface ValueRow {
  path: string;
  value: unknown;
  text: string;
}

/** Rows for the keys of a values file that a comment `# -- ...` describes; the rest is described by the nearest key above it. */
export function listValues(text: string): ValueRow[] {
  const rows: ValueRow[] = [];
  const values = parse(text) as Record<string, unknown>;
  let described: string | undefined;
  const path: { indent: number; key: string }[] = [];
  for (const line of text.split("\n")) {
    const comment = /^ *# -- (.*)$/.exec(line)?.[1];
    if (comment !== undefined) {
      described = comment;
      continue;
    }
    const [, blank = "", key] = /^( *)([A-Za-z]\w*):/.exec(line) ?? [];
    if (key === undefined) continue;
    while ((path.at(-1)?.indent ?? -1) >= blank.length) path.pop();
    path.push({ indent: blank.length, key });
    if (described === undefined) continue;
    const keys = path.map((part) => part.key);
    rows.push({ path: keys.join("."), value: keys.reduce<unknown>(childOf, values), text: described });
    described = undefined;
  }
  return rows;
}

function childOf(value: unknown, key: string): unknown {
  return (value as Record<string, unknown> | undefined)?.[key];
}

/** Every leaf of the file, as a path. */
export function listLeaves(text: string): string[] {
  const walk = (map: YAMLMap, prefix: string): string[] =>
    map.items.flatMap(({ key, value }) => {
      const path = `${prefix}${String(key)}`;
      return isMap(value) && value.items.length > 0 ? walk(value, `${path}.`) : [path];
    });
  const { contents } = parseDocument(text);
  return isMap(contents) ? walk(contents, "") : [];
}

export function valuesTable(text: string): string {
  const rows = listValues(text).map(
    (row) => `| \`${row.path}\` | \`${JSON.stringify(row.value)}\` | ${row.text.replaceAll("|", "\\|")} |`,
  );
  return ["| Value | Default | What it is for |", "| --- | --- | --- |", ...rows, ""].join("\n");
}
