/** A node that has failed and waits for a person. */
export interface OpenIncident {
  /** Index in the plan. */
  node: number;
  /** Milliseconds since the epoch. */
  openedAt: number;
}
