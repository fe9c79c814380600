/** An empty namespace in a request means this one. */
const DEFAULT_NAMESPACE = "default";

export function namespaceOf(request: { namespace: string }): string {
  return request.namespace === "" ? DEFAULT_NAMESPACE : request.namespace;
}
