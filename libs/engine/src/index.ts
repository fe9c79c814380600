export type * from "./commands.ts";
export type * from "./events.ts";
export type * from "./json.ts";
export type * from "./plan-document.ts";
export type * from "./state.ts";
