/** Characters of an expression that a drawing shows. */
export const expressionColumns = 60;
