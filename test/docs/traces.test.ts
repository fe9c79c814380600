import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { playTrace } from "./trace.ts";

/** A definition, and what it does: the pages are read as tests, so that they cannot tell what is not so. */
const EXAMPLE = /^```yaml\n((?:(?!```)[^])*)```\n+```trace\n((?:(?!```)[^])*)```$/gm;

// `REWRITE=1` writes what the engines give into the pages: read the diff before you commit it.
const PAGES = ["language.md", "patterns.md"];

describe.each(PAGES)("docs/%s", (page) => {
  const file = new URL(`../../docs/${page}`, import.meta.url);
  const text = readFileSync(file, "utf8");
  const examples = [...text.matchAll(EXAMPLE)].map(([, source = "", trace = ""], index) => ({
    index,
    title: titleOf(source),
    source: toDefinition(source),
    trace,
  }));

  test.each(examples)("$index $title", ({ index, source, trace }) => {
    const played = playTrace(source, trace);
    if (process.env["REWRITE"] === "1") rewrite(file, index, played);
    else expect(played).toBe(trace);
  });

  test("has examples", () => {
    expect(examples.length).toBeGreaterThan(10);
  });
});

describe("docs/patterns.md", () => {
  const text = readFileSync(new URL("../../docs/patterns.md", import.meta.url), "utf8");
  const rows = [...text.matchAll(/^\| (\d+) \| (?:\[([^\]]+)\]\(#([\w-]+)\)|([^|]+)) \| (yes|partly|no) \|/gm)];
  const sections = text.split(/^### /m).slice(1);

  test("says of each of the 43 patterns whether it is supported", () => {
    expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 43 }, (_, index) => index + 1));
  });

  test("shows each that is supported by a definition and what it does", () => {
    const shown = new Map(sections.map((section) => [Number.parseInt(section, 10), section]));
    const missing = rows.filter(([, number, , , , supported]) => {
      EXAMPLE.lastIndex = 0;
      return supported === "yes" && !EXAMPLE.test(shown.get(Number(number)) ?? "");
    });
    expect(missing.map(([row]) => row)).toEqual([]);
  });

  test("links to headings that exist", () => {
    const anchors = new Set(sections.map((section) => anchorOf(section.split("\n")[0] as string)));
    expect(rows.flatMap(([, , , anchor]) => (anchor === undefined || anchors.has(anchor) ? [] : [anchor]))).toEqual([]);
  });
});

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, "")
    .replaceAll(" ", "-");
}

function titleOf(source: string): string {
  return /id: ([\w-]+)/.exec(source)?.[1] ?? "";
}

/** A whole definition, or nodes of one. */
function toDefinition(source: string): string {
  if (source.startsWith("workflow:")) return source;
  return `workflow:\n  id: w\n  type: dag\n  nodes:\n${source.replaceAll(/^(?=.)/gm, "    ")}`;
}

function rewrite(file: URL, at: number, trace: string): void {
  let index = -1;
  const text = readFileSync(file, "utf8").replaceAll(EXAMPLE, (whole, source: string) => {
    index++;
    return index === at ? `\`\`\`yaml\n${source}\`\`\`\n\n\`\`\`trace\n${trace}\`\`\`` : whole;
  });
  writeFileSync(file, text);
}
