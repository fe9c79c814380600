import { problem, setting, value, type Kind, type Setting, type SettingOptions, type ValueOf } from "./setting.ts";

interface Bounds {
  min?: number;
  max?: number;
}

/** Any text that is not empty; with `item`, of that shape. */
export function string<O extends SettingOptions<string> & { item?: ItemShape }>(
  options: O,
): Setting<ValueOf<string, O>> {
  const { item } = options;
  const read = (text: string) =>
    item === undefined || item.pattern.test(text) ? value(text) : problem(`is not ${item.shape}`);
  return setting({ shape: item?.shape ?? "a text", example: "value", read }, options);
}

/** A text that is never printed and may come from a file named by `<NAME>_FILE`. */
export function secret<O extends SettingOptions<string>>(options: O): Setting<ValueOf<string, O>> {
  return setting({ shape: "a secret text", example: "s3cret", secret: true, read: value }, options);
}

export function int<O extends SettingOptions<number> & Bounds>(options: O): Setting<ValueOf<number, O>> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options;
  const limits = [
    options.min === undefined ? undefined : `from ${options.min}`,
    options.max === undefined ? undefined : `up to ${options.max}`,
  ].filter((limit) => limit !== undefined);
  const kind: Kind<number> = {
    shape: ["a whole number", ...limits].join(" "),
    example: String(options.default ?? Math.max(1, min)),
    read(text) {
      if (!/^-?\d+$/.test(text)) return problem("is not a whole number");
      const number = Number(text);
      if (number < min) return problem(`is below ${min}`);
      if (number > max) return problem(`is above ${max}`);
      return value(number);
    },
  };
  return setting(kind, options);
}

/** A TCP port; 0 takes a free one. */
export function port<O extends SettingOptions<number>>(options: O): Setting<ValueOf<number, O>> {
  const kind: Kind<number> = {
    shape: "a port from 0 to 65535 (0 takes a free one)",
    example: String(options.default ?? 7233),
    read: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? value(Number(text)) : problem("is not a port")),
  };
  return setting(kind, options);
}

const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
};

/** A size; becomes a number of bytes. */
export function bytes<O extends SettingOptions<number> & Bounds>(options: O): Setting<ValueOf<number, O>> {
  return setting(amount("a size such as 65536, 64KiB or 10MB", "64KiB", BYTES_PER_UNIT, options), options);
}

/** As people write them; they are read in any case. */
const SPELLING: Readonly<Record<string, string>> = {
  KIB: "KiB",
  MIB: "MiB",
  GIB: "GiB",
  MS: "ms",
  S: "s",
  M: "m",
  H: "h",
  D: "d",
};

const MS_PER_UNIT: Readonly<Record<string, number>> = { MS: 1, S: 1e3, M: 60e3, H: 3600e3, D: 86_400e3 };

/** A length of time; becomes milliseconds. The unit must be there: a bare number is read as seconds by half of all people. */
export function duration<O extends SettingOptions<number> & Bounds>(options: O): Setting<ValueOf<number, O>> {
  return setting(amount("a duration such as 250ms, 30s, 5m, 12h or 7d", "30s", MS_PER_UNIT, options), options);
}

function amount(shape: string, example: string, units: Readonly<Record<string, number>>, bounds: Bounds): Kind<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds;
  return {
    shape,
    example,
    show: (total) => inLargestUnit(total, units),
    read(text) {
      const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]*)$/.exec(text) ?? [];
      const factor = units[unit?.toUpperCase() ?? ""];
      if (digits === undefined || factor === undefined) return problem(`is not ${shape}`);
      const total = Math.round(Number(digits) * factor);
      if (total < min || total > max) return problem(`is not between ${min} and ${max} (it is ${total})`);
      return value(total);
    },
  };
}

/** Without a fraction: 1500 ms is `1500ms`, 60000 ms is `1m`. The units are in order, the ones to prefer last. */
function inLargestUnit(total: number, units: Readonly<Record<string, number>>): string {
  const fitting = Object.entries(units).filter(([, factor]) => total >= factor && total % factor === 0);
  const [unit = Object.keys(units)[0] ?? "", factor = 1] = fitting.toSorted(([, a], [, b]) => a - b).at(-1) ?? [];
  return `${total / factor}${SPELLING[unit] ?? unit}`;
}

/** An absolute URL. With `secret: true`, for URLs that carry a password, it is treated as a secret. */
export function url<O extends SettingOptions<string> & { protocols?: readonly string[]; secret?: boolean }>(
  options: O,
): Setting<ValueOf<string, O>> {
  const { protocols = ["http", "https"] } = options;
  const kind: Kind<string> = {
    shape: `a URL beginning with ${protocols.map((protocol) => `${protocol}://`).join(" or ")}`,
    example: `${protocols[0]}://localhost:1234`,
    secret: options.secret ?? false,
    read(text) {
      const parsed = URL.parse(text);
      if (parsed === null) return problem("is not a URL");
      if (!protocols.includes(parsed.protocol.slice(0, -1))) return problem(`has the protocol ${parsed.protocol}//`);
      return value(text);
    },
  };
  return setting(kind, options);
}

export function boolean<O extends SettingOptions<boolean>>(options: O): Setting<ValueOf<boolean, O>> {
  const kind: Kind<boolean> = {
    shape: "true or false",
    example: "true",
    read(text) {
      if (["true", "1", "yes", "on"].includes(text.toLowerCase())) return value(true);
      if (["false", "0", "no", "off"].includes(text.toLowerCase())) return value(false);
      return problem("is neither true nor false");
    },
  };
  return setting(kind, options);
}

/** One of a fixed set of words. */
export function oneOf<const W extends string, O extends SettingOptions<W>>(
  words: readonly W[],
  options: O,
): Setting<ValueOf<W, O>> {
  const kind: Kind<W> = {
    shape: `one of ${words.join(", ")}`,
    example: words[0] ?? "",
    read(text) {
      const word = words.find((candidate) => candidate === text);
      return word === undefined ? problem(`is not one of ${words.join(", ")}`) : value(word);
    },
  };
  return setting(kind, options);
}

/** What each text of a list must look like. */
interface ItemShape {
  /** In words, e.g. `host:port`. */
  shape: string;
  pattern: RegExp;
}

/**
 * Texts separated by commas; blanks around them do not count. With `item` there is at least one, and each has its form; `maxItems` bounds
 * how many there are.
 */
export function list<O extends SettingOptions<readonly string[]> & { item?: ItemShape; maxItems?: number }>(
  options: O,
): Setting<ValueOf<readonly string[], O>> {
  const { item, maxItems = Number.POSITIVE_INFINITY } = options;
  const bound = Number.isFinite(maxItems) ? `, at most ${maxItems}` : "";
  const kind: Kind<readonly string[]> = {
    shape: `${item === undefined ? "texts separated by commas" : `${item.shape}, several separated by commas`}${bound}`,
    example: options.default?.join(",") || "one,two",
    show: (items) => items.join(","),
    read(text) {
      const items = text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "");
      if (items.length > maxItems) return problem(`has ${items.length} texts, more than ${maxItems}`);
      if (item === undefined) return value(items);
      const odd = items.find((part) => !item.pattern.test(part));
      if (odd !== undefined) return problem(`has "${odd}", which is not ${item.shape}`);
      return items.length > 0 ? value(items) : problem("is empty");
    },
  };
  return setting(kind, options);
}
