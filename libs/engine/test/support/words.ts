import type { Json } from "../../src/index.ts";

// The syntax that scenarios and plan texts share: words, and `key=value` with JSON or a bare word as value.

export interface Words {
  /** In order. */
  words: string[];
  /** By key. */
  values: Map<string, Json>;
}

/** Splits a line at blanks outside of JSON. A value that is no JSON is a text. */
export function parseWords(line: string): Words {
  const result: Words = { words: [], values: new Map() };
  for (const token of splitTokens(line)) {
    const assignment = /^([\w:.-]+)=(?!>)(.*)$/s.exec(token);
    if (assignment) {
      result.values.set(assignment[1] as string, parseValue(assignment[2] as string));
    } else {
      result.words.push(token);
    }
  }
  return result;
}

/** JSON, or else the text itself. */
export function parseValue(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** A value as the text that it was written as. */
export function toWord(value: Json | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function splitTokens(line: string): string[] {
  const tokens: string[] = [];
  let token = "";
  let depth = 0;
  let inString = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i] as string;
    if (inString) {
      if (char === "\\") token += line[i++];
      else if (char === '"') inString = false;
    } else if (char === '"') {
      inString = true;
    } else if (char === "{" || char === "[") {
      depth++;
    } else if (char === "}" || char === "]") {
      depth--;
    } else if (/\s/.test(char) && depth === 0) {
      if (token !== "") tokens.push(token);
      token = "";
      continue;
    }
    token += line[i];
  }
  if (token !== "") tokens.push(token);
  return tokens;
}
