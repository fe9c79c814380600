import type { OutputStream } from "../src/index.ts";

/** A terminal in memory: enough of xterm to see what a person would see, and a complaint about everything else. */
export interface VirtualTerminal extends OutputStream {
  readonly isTTY: true;
  columns: number;
  rows: number;
  /** Lines on the screen and those that scrolled off above it, without the empty ones at the end. */
  lines(): string[];
  /** Lines on the screen only. */
  screen(): string[];
  resize(columns: number, rows: number): void;
  cursorHidden(): boolean;
  /** How often it was written to. */
  writes(): number;
  listeners(): number;
}

// oxlint-disable-next-line no-control-regex -- escape sequences are what is read
const TOKEN = /\u001b\[([?0-9;]*)([A-Za-z])|\u001b|[\s\S]/gu;

export function createVirtualTerminal(columns = 80, rows = 24): VirtualTerminal {
  let grid: string[][] = [[]];
  let row = 0;
  let column = 0;
  let hidden = false;
  let writes = 0;
  const resizeListeners = new Set<() => void>();

  const terminal: VirtualTerminal = {
    isTTY: true,
    columns,
    rows,
    write(text) {
      writes += 1;
      for (const [token, parameters, command] of text.matchAll(TOKEN)) {
        if (command === undefined) put(token);
        else obey(parameters ?? "", command);
      }
    },
    on: (_, listener) => resizeListeners.add(listener),
    off: (_, listener) => resizeListeners.delete(listener),
    lines() {
      const all = grid.map((cells) =>
        Array.from(cells, (cell) => cell ?? " ")
          .join("")
          .trimEnd(),
      );
      while (all.length > 0 && all.at(-1) === "") all.pop();
      return all;
    },
    screen: () => terminal.lines().slice(top()),
    resize(width, height) {
      terminal.columns = width;
      terminal.rows = height;
      reflow(width);
      for (const listener of resizeListeners) listener();
    },
    cursorHidden: () => hidden,
    writes: () => writes,
    listeners: () => resizeListeners.size,
  };

  /** First line of the grid that is on the screen. */
  function top(): number {
    return Math.max(0, grid.length - terminal.rows);
  }

  function put(character: string): void {
    if (character === "\n") return lineFeed();
    if (character === "\r") return void (column = 0);
    if (/\p{Cc}/u.test(character)) throw new Error(`control character ${JSON.stringify(character)} on the terminal`);
    if (column >= terminal.columns) lineFeed();
    (grid[row] ??= [])[column] = character;
    column += 1;
  }

  function lineFeed(): void {
    row += 1;
    column = 0;
    grid[row] ??= [];
  }

  function obey(parameters: string, command: string): void {
    const count = Number(parameters) || 1;
    if (command === "m") return;
    if (command === "A") return void (row = Math.max(top(), row - count));
    if (command === "K" && parameters === "2") return void (grid[row] = []);
    if (command === "J" && parameters === "") {
      grid = [...grid.slice(0, row), (grid[row] ?? []).slice(0, column)];
      return;
    }
    if (parameters === "?25" && (command === "l" || command === "h")) return void (hidden = command === "l");
    if (parameters === "?2026") return;
    throw new Error(`unknown escape sequence [${parameters}${command}`);
  }

  /** Narrower terminals wrap the lines that are there, as xterm's descendants do. */
  function reflow(width: number): void {
    const before = grid;
    grid = [];
    for (const [index, cells] of before.entries()) {
      const cut = Array.from(cells, (cell) => cell ?? " ")
        .join("")
        .trimEnd();
      const pieces = cut.length === 0 ? [""] : (cut.match(new RegExp(`.{1,${width}}`, "gu")) ?? [""]);
      for (const piece of pieces) grid.push(Array.from(piece));
      if (index === row) row = grid.length - 1;
    }
    column = Math.min(column, width);
  }

  return terminal;
}
