import { type Schema, anyObject, condition, id, object, template, text } from "./parts.ts";

const INPUT: Record<string, Schema> = {
  description: text("For people."),
  input: object("What comes with it.", { schema: anyObject("JSON Schema 2020-12.") }),
  input_schema: anyObject("Instead of `input`: JSON Schema 2020-12."),
};

export const INTERACTION_DEFINITIONS: Record<string, Schema> = {
  update: object(
    "A request that changes a running execution, with a reply.",
    {
      name: id("Callers name it by this."),
      ...INPUT,
      when: condition("Over `update`; refused when it gives false."),
      otherwise: template("Why it is refused then."),
      set: anyObject("Variables that it sets."),
      signal: id("Its payload is a signal of this name, too."),
      key: template("Of that signal."),
      after: id("The reply is given when this node has ended; at once without it."),
      reply: template("What the caller gets."),
    },
    ["name"],
  ),
  query: object(
    "A question that changes nothing.",
    { name: id("Callers name it by this."), ...INPUT, output: template("Over `query`: the answer.") },
    ["name", "output"],
  ),
};
