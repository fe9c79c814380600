import type { DescMessage, DescMethod, MessageShape } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import type { Interceptor } from "@connectrpc/connect";
import { DomainError } from "@heddle/errors";
import { RpcReason } from "./reasons.ts";
import { wrapIterable } from "./wrap-iterable.ts";

export interface ValidationOptions {
  /** Methods whose messages are not checked here, because their handler does it where it costs less. */
  skip?: (method: DescMethod) => boolean;
}

/** Checks every request message against the protovalidate rules of its proto before the handler sees it. */
export function createValidation(options: ValidationOptions = {}): Interceptor {
  const validate = createMessageValidation();
  return (next) => (req) => {
    if (options.skip?.(req.method) === true) return next(req);
    if (!req.stream) {
      validate(req.method.input, req.message);
      return next(req);
    }
    return next({ ...req, message: validateEach(req.message, (message) => validate(req.method.input, message)) });
  };
}

/** A function that throws REQUEST_INVALID with one violation per broken rule. Rules are compiled once per message type. */
function createMessageValidation(): (desc: DescMessage, message: MessageShape<DescMessage>) => void {
  const validator = createValidator();
  return (desc, message) => {
    const result = validator.validate(desc, message);
    if (result.kind === "valid") return;
    // A rule that does not compile is our defect, not the caller's.
    if (result.kind === "error") throw result.error;
    throw requestInvalid(desc, result.violations);
  };
}

function requestInvalid(desc: DescMessage, broken: readonly Violation[]): DomainError {
  const violations = broken.map((violation) => ({
    field: pathToString(violation.field),
    description: violation.message || `breaks the rule ${violation.ruleId}`,
  }));
  const listed = violations
    .slice(0, 3)
    .map(({ field, description }) => (field === "" ? description : `${field}: ${description}`));
  const more = violations.length > 3 ? `; and ${violations.length - 3} more` : "";
  return new DomainError({
    kind: "invalid_argument",
    reason: RpcReason.requestInvalid,
    message: `${desc.name} is not valid: ${listed.join("; ")}${more}`,
    violations,
  });
}

function validateEach<T>(source: AsyncIterable<T>, check: (value: T) => void): AsyncIterable<T> {
  return wrapIterable(source, (next) => ({
    async next() {
      const result = await next();
      if (result.done !== true) check(result.value);
      return result;
    },
  }));
}
