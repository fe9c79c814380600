import type { Json, JsonObject } from "@heddle/sdk";

/** Reads of foreign JSON that may be of any shape: each gives a harmless value when the shape is another. */
export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

export function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

export function countOf(value: Json | undefined): number {
  return typeof value === "number" && value > 0 ? value : 0;
}
