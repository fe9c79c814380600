/** The store's only look at the environment. */
export function postgresBinDirectory(): string | undefined {
  return process.env.HEDDLE_POSTGRES_BIN || undefined;
}
