import type { OutputStream } from "../io.ts";
import { defaultColumns, defaultRows } from "../limits.ts";
import { textWidth } from "./text-width.ts";

/** Paints lines at the bottom of a terminal, over what it painted before. */
export interface Painter {
  /** Cells and lines that a frame may take now. */
  size(): { columns: number; maxLines: number };
  /** Replaces the frame. Frames that did not change are not written. */
  paint(lines: readonly string[]): void;
  /** Leaves the last frame where it is, gives the cursor back and ends. */
  end(): void;
}

const ESC = "\u001b[";
const HIDE_CURSOR = `${ESC}?25l`;
const SHOW_CURSOR = `${ESC}?25h`;
/** Terminals that know it show the frame at once; the others ignore it. */
const BEGIN_FRAME = `${ESC}?2026h`;
const END_FRAME = `${ESC}?2026l`;
const CLEAR_LINE = `${ESC}2K`;
const CLEAR_BELOW = `${ESC}J`;

export function createPainter(stream: OutputStream): Painter {
  let previous: readonly string[] = [];
  let started = false;

  const columns = (): number => Math.max(20, stream.columns ?? defaultColumns);
  const rows = (): number => Math.max(5, stream.rows ?? defaultRows);

  /** Lines from the cursor up to the top of the last frame, as the terminal shows it now: narrower ones wrap lines. */
  function height(): number {
    const width = stream.columns ?? defaultColumns;
    const lines = previous.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / width)), 0);
    // What has scrolled off the top cannot be reached any more.
    return Math.min(lines, (stream.rows ?? defaultRows) - 1);
  }

  return {
    // One cell stays free: in the last one terminals disagree about what a line break does.
    size: () => ({ columns: columns() - 1, maxLines: rows() - 1 }),
    paint(lines) {
      if (started && lines.length === previous.length && lines.every((line, at) => line === previous[at])) return;
      const up = height();
      const text = lines.map((line) => `${CLEAR_LINE}${line}\n`).join("");
      stream.write(
        `${started ? "" : HIDE_CURSOR}${BEGIN_FRAME}\r${up > 0 ? `${ESC}${up}A` : ""}${text}${CLEAR_BELOW}${END_FRAME}`,
      );
      started = true;
      previous = [...lines];
    },
    end() {
      if (started) stream.write(SHOW_CURSOR);
      started = false;
      previous = [];
    },
  };
}
