/** Characters of a document; definitions may have no more either. */
export const documentMaxLength = 1_048_576;

/** Elements inside one another. */
export const depthMax = 64;

/** Brackets and operators inside one another in an expression. */
export const expressionDepthMax = 40;

/** Problems that are told; a document with more has one cause for most of them. */
export const problemsMax = 100;
