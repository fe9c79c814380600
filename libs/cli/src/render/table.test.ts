import { expect, it } from "vitest";
import { renderTable } from "./table.ts";

it("makes columns as wide as their widest cell and aligns numbers to the right", () => {
  const rows = [
    { name: "a", count: 5 },
    { name: "日本", count: 1_000 },
  ];
  const columns = [
    { title: "NAME", cell: (row: (typeof rows)[0]) => row.name },
    { title: "N", cell: (row: (typeof rows)[0]) => String(row.count), align: "right" as const },
  ];
  expect(renderTable(rows, columns, (text) => text)).toEqual(["NAME     N", "a        5", "日本  1000"]);
});
