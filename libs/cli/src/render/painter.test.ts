import { describe, expect, it } from "vitest";
import { createVirtualTerminal } from "../../test/virtual-terminal.ts";
import { createPainter } from "./painter.ts";

describe("painter", () => {
  it("paints each frame over the one before, also when it is shorter", () => {
    const terminal = createVirtualTerminal();
    terminal.write("$ heddle watch\n");
    const painter = createPainter(terminal);
    painter.paint(["a", "b", "c"]);
    painter.paint(["A", "B"]);
    painter.paint(["one", "two", "three", "four"]);
    painter.end();
    expect(terminal.lines()).toEqual(["$ heddle watch", "one", "two", "three", "four"]);
  });

  it("hides the cursor while it paints and gives it back", () => {
    const terminal = createVirtualTerminal();
    const painter = createPainter(terminal);
    painter.paint(["a"]);
    expect(terminal.cursorHidden()).toBe(true);
    painter.end();
    expect(terminal.cursorHidden()).toBe(false);
  });

  it("writes nothing for a frame that did not change", () => {
    const terminal = createVirtualTerminal();
    const painter = createPainter(terminal);
    painter.paint(["a", "b"]);
    const before = terminal.writes();
    painter.paint(["a", "b"]);
    expect(terminal.writes()).toBe(before);
  });

  it("offers one line less than the terminal has, so that nothing scrolls away", () => {
    const terminal = createVirtualTerminal(40, 6);
    const painter = createPainter(terminal);
    const { columns, maxLines } = painter.size();
    expect({ columns, maxLines }).toEqual({ columns: 39, maxLines: 5 });
    for (let frame = 0; frame < 20; frame += 1) {
      painter.paint(Array.from({ length: maxLines }, (_, line) => `frame ${frame} line ${line}`));
    }
    expect(terminal.lines()).toEqual(Array.from({ length: 5 }, (_, line) => `frame 19 line ${line}`));
  });

  it("paints over lines that a narrower terminal has wrapped", () => {
    const terminal = createVirtualTerminal(40, 20);
    const painter = createPainter(terminal);
    painter.paint(["x".repeat(39), "y".repeat(39)]);
    terminal.resize(20, 20);
    painter.paint(["short", "lines"]);
    expect(terminal.lines()).toEqual(["short", "lines"]);
  });

  it("survives a terminal that becomes lower than the frame", () => {
    const terminal = createVirtualTerminal(40, 20);
    const painter = createPainter(terminal);
    painter.paint(Array.from({ length: 15 }, (_, line) => `line ${line}`));
    terminal.resize(40, 6);
    painter.paint(["a", "b", "c"]);
    painter.paint(["d", "e", "f"]);
    expect(terminal.lines().slice(-3)).toEqual(["d", "e", "f"]);
  });
});
