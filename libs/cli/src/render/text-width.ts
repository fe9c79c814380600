// oxlint-disable-next-line no-control-regex -- escape sequences are what is looked for
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]/g;
const SEGMENTS = new Intl.Segmenter("en", { granularity: "grapheme" });
/** East Asian wide and full-width characters, and emoji: two cells in terminals. */
const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation})/u;
const INVISIBLE = /^[\p{Cc}\p{Cf}\p{Mn}\p{Me}]+$/u;

/** Cells that a text takes in a terminal; colours take none. */
export function textWidth(text: string): number {
  let width = 0;
  for (const { segment } of SEGMENTS.segment(text.replace(ESCAPES, ""))) width += cells(segment);
  return width;
}

/** Cuts a text so that it takes at most `columns` cells, with … at the end; colours that were on are switched off. */
export function truncate(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (textWidth(text) <= columns) return text;
  let width = 0;
  let kept = "";
  let rest = text;
  while (rest !== "") {
    ESCAPES.lastIndex = 0;
    const escape = ESCAPES.exec(rest);
    if (escape?.index === 0) {
      kept += escape[0];
      rest = rest.slice(escape[0].length);
      continue;
    }
    const [first] = SEGMENTS.segment(rest);
    const segment = first?.segment ?? rest;
    if (width + cells(segment) > columns - 1) break;
    width += cells(segment);
    kept += segment;
    rest = rest.slice(segment.length);
  }
  return kept.includes("\u001b") ? `${kept}…\u001b[0m` : `${kept}…`;
}

/** Fills a text up with spaces to `columns` cells. */
export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - textWidth(text)));
}

/**
 * Text of strangers for one line of a terminal: control characters, which could move the cursor or rewrite what stands
 * above, are shown as spaces.
 */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}

function cells(segment: string): number {
  if (INVISIBLE.test(segment)) return 0;
  return WIDE.test(segment) ? 2 : 1;
}
