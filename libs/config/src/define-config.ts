import { DomainError } from "@heddle/errors";
import { readVariable, type Environment } from "./environment.ts";
import type { Setting } from "./setting.ts";
import { findNearest } from "./nearest.ts";

/** Settings by the name of their variable. */
export type Settings = Record<string, Setting<unknown>>;

/** What a set of settings becomes. */
export type Values<S extends Settings> = { [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never };

export interface Config<S extends Settings> {
  settings: S;
  /**
   * Reads every setting, and tells all faults at once.
   * @throws DomainError `CONFIG_INVALID`, with one violation per variable: its name, what is wrong, the shape, an example.
   */
  parse(env: Environment): Values<S>;
  /** Variables that begin with HEDDLE_ and are none of these settings, with the setting that was probably meant. */
  listUnknown(env: Environment): { name: string; nearest: string | undefined }[];
}

const PREFIX = "HEDDLE_";

/** Declares the variables that a program reads. Several can be joined: `defineConfig({ ...a.settings, ...b.settings })`. */
export function defineConfig<const S extends Settings>(settings: S): Config<S> {
  const listUnknown: Config<S>["listUnknown"] = (env) => {
    const known = Object.entries(settings).flatMap(([name, { secret }]) => (secret ? [name, `${name}_FILE`] : [name]));
    return Object.keys(env)
      .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
      .map((name) => ({ name, nearest: findNearest(name, known) }));
  };

  return {
    settings,
    listUnknown,
    parse(env) {
      const values: Record<string, unknown> = {};
      const faults: { field: string; description: string }[] = [];
      for (const [name, setting] of Object.entries(settings)) {
        const read = readVariable(name, setting, env);
        if (read.ok) values[name] = read.value;
        else faults.push({ field: name, description: read.problem });
      }
      // Other unknown variables are left alone: Kubernetes and neighbours in the same process bring some. But one that is
      // nearly the name of a variable which is absent is a slip, and the default would silently take its place.
      for (const { name, nearest } of listUnknown(env)) {
        if (nearest === undefined || env[nearest] !== undefined) continue;
        faults.push({ field: name, description: `is not a variable of this program; did you mean ${nearest}?` });
      }
      if (faults.length > 0) throw configInvalid(faults);
      return values as Values<S>;
    },
  };
}

function configInvalid(faults: { field: string; description: string }[]): DomainError {
  const lines = faults.map(({ field, description }) => `  ${field} ${description}`);
  return new DomainError({
    kind: "invalid_argument",
    reason: "CONFIG_INVALID",
    message: `the configuration has ${faults.length} fault${faults.length === 1 ? "" : "s"}:\n${lines.join("\n")}`,
    violations: faults,
  });
}
