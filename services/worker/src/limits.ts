/** Redirects that one request follows. */
export const HTTP_REDIRECTS_MAX = 5;

/** Body of one HTTP response after decompression, unless configured. Below the cap of a task's output, with room for headers and escapes. */
export const HTTP_RESPONSE_MAX_BYTES = 768 * 1024;

/** Time for one HTTP request with its redirects, unless the input or the configuration says otherwise. */
export const HTTP_TIMEOUT_MS = 30_000;

/** Longest timeout that an input may ask for. */
export const HTTP_TIMEOUT_MAX_MS = 600_000;

/** Characters of a response that are kept in the details of a failure. */
export const HTTP_EXCERPT_MAX_CHARS = 2_000;

/** A Retry-After beyond this is taken for this: a server cannot park a workflow for a year. */
export const RETRY_AFTER_MAX_MS = 86_400_000;

/** Items of a list that `transform` takes. */
export const TRANSFORM_ITEMS_MAX = 100_000;

/** Time for one call of a model, unless configured. */
export const MODEL_TIMEOUT_MS = 120_000;

/** Body of one answer of a model's server. */
export const MODEL_RESPONSE_MAX_BYTES = 8 * 1024 * 1024;

/** Times that a model may be asked in one task, unless the agent says otherwise, and at most. */
export const AGENT_TURNS_DEFAULT = 10;
export const AGENT_TURNS_MAX = 50;

/** Tool calls in one turn that are run; further ones are answered with an error. */
export const AGENT_PARALLEL_CALLS_MAX = 8;

/** Characters of one tool's answer that a model gets to see. */
export const AGENT_TOOL_RESULT_MAX_CHARS = 32_000;

/** Times that a model is asked again when its answer does not fit the output schema, unless the agent says otherwise, and at most. */
export const AGENT_REPAIRS_DEFAULT = 2;
export const AGENT_REPAIRS_MAX = 5;

/** Tokens that a model may write in one answer, unless the agent says otherwise. */
export const AGENT_TOKENS_DEFAULT = 4_096;

/** Compiled descriptions that are kept, by their text. */
export const AGENT_CACHE_MAX = 500;
