export * from "./domain-error.ts";
export * from "./is-passing.ts";
