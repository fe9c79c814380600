export * from "./domain-error.ts";
export * from "./is-passing.ts";
export * from "./moved.ts";
