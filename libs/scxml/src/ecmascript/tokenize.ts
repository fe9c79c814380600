import { UntranslatableError } from "./syntax.ts";

export interface Token {
  kind: "number" | "string" | "name" | "sign" | "end";
  /** The sign or name; the value of a text, without quotes. */
  text: string;
  at: number;
}

const BLANK = /(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const NAME = /[A-Za-z_$][\w$]*/y;
const STRING = /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'/y;
const SIGN = /===|!==|=>|\*\*|\?\?|\+\+|--|&&|\|\||==|!=|<=|>=|\+=|-=|\*=|\/=|%=|[-+*/%<>!?:.,()[\]{}=;]/y;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v", "0": "\0" };

/** @throws UntranslatableError for signs that have no counterpart: regular expressions, template texts, bit operations. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  for (;;) {
    take(BLANK);
    const start = at;
    if (at === text.length) return [...tokens, { kind: "end", text: "", at }];
    const number = take(NUMBER);
    if (number !== undefined) {
      tokens.push({ kind: "number", text: number, at: start });
      continue;
    }
    const name = take(NAME);
    if (name !== undefined) {
      tokens.push({ kind: "name", text: name, at: start });
      continue;
    }
    const string = take(STRING);
    if (string !== undefined) {
      tokens.push({ kind: "string", text: unescape(string.slice(1, -1)), at: start });
      continue;
    }
    const sign = take(SIGN);
    if (sign === undefined) {
      throw new UntranslatableError(`there is no counterpart to ${JSON.stringify(text[at])}`, {
        at,
        hint: "comparisons, arithmetic, && || !, ?:, member access, lists, objects and In() can be converted",
      });
    }
    tokens.push({ kind: "sign", text: sign, at: start });
  }
}

function unescape(text: string): string {
  return text.replaceAll(
    /\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([^]))/g,
    (_all, long: string | undefined, four: string | undefined, two: string | undefined, sign: string | undefined) => {
      const code = long ?? four ?? two;
      if (code === undefined) return sign === "\n" ? "" : (ESCAPES[sign ?? ""] ?? sign ?? "");
      const point = Number.parseInt(code, 16);
      return point > 0x10ffff ? "\ufffd" : String.fromCodePoint(point);
    },
  );
}
