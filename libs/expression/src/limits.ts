/** Characters (UTF-16 code units) of one expression's source. */
export const MAX_EXPRESSION_LENGTH = 4_096;
/** Brackets, `?:` and unary operators inside one another: the parser is recursive. */
export const MAX_NESTING = 40;
/** Operators, `.` and `[]` in a row on one level (`a + b + c`): each is one level of evaluation. */
export const MAX_SYNTAX_DEPTH = 250;
/** `all`, `exists`, `map`, `filter` inside one another. */
export const MAX_COMPREHENSION_NESTING = 2;
/** Elements of a list or fields of a map that `all`, `exists`, `map`, `filter` go through. */
export const MAX_COMPREHENSION_ITEMS = 10_000;
/** Steps of one evaluation: iterations of comprehensions, and elements or 64 characters that a function looks at. */
export const MAX_STEPS = 200_000;
/** Characters of a pattern of `matches`. RE2 never backtracks; a long pattern with counted repetitions still takes memory. */
export const MAX_PATTERN_LENGTH = 512;
/** Characters of any text that an expression or template builds. */
export const MAX_STRING_LENGTH = 1_048_576;
/** Values (elements, fields) in a result that an expression builds itself. */
export const MAX_RESULT_VALUES = 1_000_000;
/** Depth of a value that is compared, written as JSON or read from JSON, and of a template. */
export const MAX_VALUE_DEPTH = 100;
