import { padEnd, textWidth } from "./text-width.ts";

export interface Column<Row> {
  title: string;
  cell(row: Row): string;
  align?: "left" | "right";
}

/** A table with columns as wide as their widest cell, two spaces apart; the title row goes through `head`. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  head: (text: string) => string,
): string[] {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = columns.map(({ title }, index) =>
    Math.max(textWidth(title), ...cells.map((line) => textWidth(line[index] ?? ""))),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.align === "right" ? " ".repeat(width - textWidth(text)) + text : padEnd(text, width);
      })
      .join("  ")
      .trimEnd();
  return [head(line(columns.map(({ title }) => title))), ...cells.map(line)];
}
