export { didYouMean, findClosest } from "./did-you-mean.ts";
export { ExpressionError } from "./expression-error.ts";
export type { ExpressionErrorKind, ExpressionErrorOptions } from "./expression-error.ts";
export { compileExpression } from "./expression.ts";
export type { Json, JsonObject } from "./json.ts";
export * from "./limits.ts";
export { compileTemplate } from "./template.ts";
export type * from "./types.ts";
export { linearRegularExpression, type RegularExpression } from "./regular-expression.ts";
