import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

const POSITION = /(file:\/\/\/(?!\S*\/node_modules\/)[^\s()]+\.m?js):(\d+):(\d+)/g;
const maps = new Map<string, SourceMap | undefined>();

/**
 * A stack with the places of the sources, where a bundle has a map beside it: `services/x/src/y.ts:12:3`. Node's own
 * `--enable-source-maps` does so for every stack, and reads the map at each start, which takes a third of the time to
 * readiness. Here the first error reads it.
 */
export function originalStack(stack: string): string {
  return stack.replaceAll(POSITION, (position, url: string, line: string, column: string) => {
    const entry = mapOf(url)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !("originalSource" in entry)) return position;
    return `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

function mapOf(url: string): SourceMap | undefined {
  if (!maps.has(url)) maps.set(url, readMap(url));
  return maps.get(url);
}

function readMap(url: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, "utf8")));
  } catch {
    // No bundle, or one that came without its map: the stack stays as it is.
    return undefined;
  }
}
