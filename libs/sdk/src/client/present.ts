/** The contract sets these fields in every answer; protobuf's types cannot say so. */
export function present<T>(value: T | undefined): T {
  if (value !== undefined) return value;
  throw new TypeError("the server left out a field that the contract requires; it may be of another version");
}
