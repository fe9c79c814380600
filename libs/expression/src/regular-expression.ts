import { RE2JS } from "@bufbuild/re2";

/** What JSON Schema validators need of a regular expression. */
export interface RegularExpression {
  test(text: string): boolean;
}

/**
 * A regular expression whose time is linear in the text (RE2), for patterns that strangers write: a native one can be made
 * to run for hours. It has no look-around and no back-references; those throw here, when it is made.
 * Fits ajv's option `code.regExp`.
 */
export const linearRegularExpression: ((pattern: string, flags: string) => RegularExpression) & { code: string } =
  Object.assign(
    (pattern: string): RegularExpression => {
      const compiled = RE2JS.compile(pattern);
      return { test: (text) => compiled.test(text) };
    },
    // Only for validators that are generated as source code, which nobody does here.
    { code: "linearRegularExpression" },
  );
