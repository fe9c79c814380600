/** One variable of the environment: what it means, what shapes its text may have, and what it becomes. */
export interface Setting<T> {
  /** What it is for, in one sentence. */
  doc: string;
  /** The shape in words, e.g. `a number of bytes such as 64MiB`. Faults and the table quote it. */
  shape: string;
  /** A value that would do. */
  example: string;
  /** Never printed; may be given as a path in `<NAME>_FILE` instead. */
  secret: boolean;
  required: boolean;
  /** What an absent variable means; undefined when it is required or optional. */
  default: T | undefined;
  /** The value, or why the text is not one. */
  read(text: string): Read<T>;
  /** A text that `read` takes for the value. */
  show(value: T): string;
}

export type Read<T> = { ok: true; value: T } | { ok: false; problem: string };

/** Neither `default` nor `optional` makes a setting required. */
export interface SettingOptions<T> {
  doc: string;
  default?: T;
  optional?: boolean;
  example?: string;
}

/** What the parsed value of a setting is, given how it was declared. */
export type ValueOf<T, O> = O extends { optional: true } ? T | undefined : T;

export interface Kind<T> {
  shape: string;
  example: string;
  secret?: boolean;
  read(text: string): Read<T>;
  /** Default: as JavaScript writes it. */
  show?(value: T): string;
}

export function setting<T, O extends SettingOptions<T>>(kind: Kind<T>, options: O): Setting<ValueOf<T, O>> {
  return {
    doc: options.doc,
    shape: kind.shape,
    example: options.example ?? kind.example,
    secret: kind.secret ?? false,
    required: options.default === undefined && options.optional !== true,
    default: options.default,
    read: kind.read,
    show: (given) => (given === undefined ? "" : (kind.show ?? String)(given)),
  };
}

export function value<T>(value: T): Read<T> {
  return { ok: true, value };
}

export function problem(problem: string): Read<never> {
  return { ok: false, problem };
}
