/** Texts of values in a message are cut after this many characters. */
const SHOWN_CHARACTERS = 80;

/**
 * The first place where two values of JSON differ, as `path: left, not right`; undefined when they are equal. The order of
 * fields says nothing, and a field that is undefined is not there: both as in JSON text.
 */
export function findDifference(left: unknown, right: unknown, path = "$"): string | undefined {
  if (Object.is(left, right)) return undefined;
  if (Array.isArray(left) && Array.isArray(right)) {
    for (let at = 0; at < Math.max(left.length, right.length); at++) {
      const found = findDifference(left[at], right[at], `${path}[${at}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isObject(left) && isObject(right)) {
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      const found = findDifference(fieldOf(left, key), fieldOf(right, key), `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  // As text there is one zero.
  if (left === 0 && right === 0) return undefined;
  return `${path}: ${show(left)}, not ${show(right)}`;
}

/** A field called `toString` is in no object that does not have it itself. */
function fieldOf(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
