/**
 * SCXML 3.12.1: a descriptor matches an event when it is the event's name, or a prefix of it at a dot. `*` matches every
 * event, and a trailing `.*` or `.` says nothing more.
 */
export function compileDescriptors(descriptors: readonly string[]): (event: string) => boolean {
  const prefixes = descriptors.map((descriptor) => descriptor.replace(/(\.\*|\.)$/, ""));
  if (prefixes.includes("*")) return () => true;
  const [only] = prefixes;
  if (prefixes.length === 1 && only !== undefined) return (event) => isPrefix(only, event);
  return (event) => prefixes.some((prefix) => isPrefix(prefix, event));
}

function isPrefix(prefix: string, event: string): boolean {
  return event.startsWith(prefix) && (event.length === prefix.length || event.charCodeAt(prefix.length) === 46);
}
