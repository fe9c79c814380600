/** An event by the node that has taken it: others of the execution may take it as well. */
export function takenName(node: number, eventId: string): string {
  return `${node}/${eventId}`;
}
