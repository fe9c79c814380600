import type { StartKey } from "@heddle/journal-service";

/** By what a machine's creation is told from others. */
export interface StartedBy {
  namespace: string;
  workflowId: string;
  key: string;
  requestId: string;
}

/**
 * The one key of a creation: the business key, unique among the machines of a definition, or else the request id, unique in the
 * namespace. Undefined for a creation that may be repeated as often as one likes.
 */
export function startKeyOf({ namespace, workflowId, key, requestId }: StartedBy): StartKey | undefined {
  if (key !== "") return businessKey(namespace, workflowId, key);
  return requestId === "" ? undefined : { scope: namespace, key: requestId };
}

export function businessKey(namespace: string, workflowId: string, key: string): StartKey {
  // Neither part may hold the separator, so that no two pairs are the same text.
  return { scope: `${namespace}\u0001${workflowId}`, key };
}
