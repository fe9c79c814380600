import { isFieldSet } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  MethodOptions_IdempotencyLevel,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import type { Finding, Rule } from "../architecture/rule.ts";
import type { Contract, Declared, Field, Method } from "./contract.ts";

export type ContractRule = Rule<Contract>;

const FEWEST_WORDS = 3;
const FEWEST_WORDS_OF_AN_RPC = 6;

/** The last part of a full name. */
function shortName({ name }: Declared): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function at(declared: Declared, what: string): Finding {
  return { file: declared.file, line: declared.line, what: `${shortName(declared)} ${what}` };
}

function methodsOf(contract: Contract): Method[] {
  return contract.services.flatMap(({ methods }) => methods);
}

const documented: ContractRule = {
  id: "documented",
  rule: `everything has a comment of at least ${FEWEST_WORDS} words (an RPC: ${FEWEST_WORDS_OF_AN_RPC}), in a sentence`,
  why: "the protos are the only documentation that users of every language have at hand",
  remedy:
    "say what it means, its unit, its limit, what absent means; of an RPC also what is atomic and which errors it gives",
  check(contract) {
    const { messages, enums, services } = contract;
    const all = [
      ...messages.flatMap((message) => [message, ...message.fields, ...message.oneofs]),
      ...enums.flatMap((each) => [each, ...each.values]),
      ...services,
    ];
    const wordsOf = ({ comment }: Declared): number => comment.split(/\s+/).filter((word) => /\w/.test(word)).length;
    const short = all.filter((each) => wordsOf(each) < FEWEST_WORDS && !isReserveValue(each));
    const shortMethods = methodsOf(contract).filter((method) => wordsOf(method) < FEWEST_WORDS_OF_AN_RPC);
    const loose = [...all, ...methodsOf(contract)].filter(({ comment }) => comment !== "" && !/[.:;`)]$/.test(comment));
    return [
      ...[...short, ...shortMethods].map((each) => at(each, `is described as "${each.comment}"`)),
      ...loose.map((each) => at(each, "has a comment that does not end as a sentence does")),
    ];
  },
};

/** A zero value that is never used needs no more words than that. */
function isReserveValue(declared: Declared): boolean {
  return declared.name.endsWith("_UNSPECIFIED") && declared.comment !== "";
}

const idempotencyStated: ContractRule = {
  id: "idempotency-stated",
  rule: "every RPC states its idempotency_level; only streams from the client may leave it unknown",
  why: "clients repeat what may be repeated after a lost answer, and nothing else",
  remedy:
    "NO_SIDE_EFFECTS for reads, IDEMPOTENT for what may be sent twice; make the RPC idempotent when it is neither",
  check: (contract) =>
    methodsOf(contract)
      .filter(({ proto }) => {
        const { options } = proto;
        if (options === undefined || !isFieldSet(options, MethodOptionsSchema.field.idempotencyLevel)) return true;
        const isUnknown = options.idempotencyLevel === MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
        return isUnknown && !proto.clientStreaming;
      })
      .map((method) => at(method, "does not say whether it may be repeated")),
};

const requestResponseNames: ContractRule = {
  id: "request-response-names",
  rule: "an RPC X takes XRequest and returns XResponse, both its own",
  why: "messages that RPCs share cannot grow apart without breaking one of them",
  remedy: "give the RPC two messages of its own, even when they are empty",
  check: (contract) =>
    contract.services.flatMap((service) =>
      service.methods
        .filter((method) => {
          const prefix = `${service.package}.${shortName(method)}`;
          return method.input !== `${prefix}Request` || method.output !== `${prefix}Response`;
        })
        .map((method) => at(method, `takes ${method.input} and returns ${method.output}`)),
    ),
};

const CREATING = /^(Create|Start|Signal|Publish|Rerun|Send|Trigger|Backfill)/;

const requestIds: ContractRule = {
  id: "request-ids",
  rule: "what creates, starts, signals or publishes takes a request_id",
  why: "a caller that lost the answer must be able to send it again without doing it twice",
  remedy: "add `string request_id` with a max_len, and answer a repeated one as the first time",
  check: (contract) =>
    methodsOf(contract)
      .filter((method) => CREATING.test(shortName(method)))
      .filter((method) => {
        const found = contract.getMessage(method.input).fields.find((field) => shortName(field) === "request_id");
        return found === undefined || maxLength(found) === undefined;
      })
      .map((method) => at(method, "takes no request_id with a max_len")),
};

const pagedLists: ContractRule = {
  id: "paged-lists",
  rule: "a List RPC takes page_size with an upper bound and page_token, and returns one repeated field and next_page_token",
  why: "a list without pages works until somebody has a million",
  remedy: "add the fields; bound page_size with uint32.lte and page_token with string.max_len",
  check: (contract) =>
    methodsOf(contract)
      .filter((method) => shortName(method).startsWith("List"))
      .filter((method) => {
        const request = contract.getMessage(method.input).fields;
        const response = contract.getMessage(method.output).fields;
        const size = request.find((field) => shortName(field) === "page_size");
        const token = request.find((field) => shortName(field) === "page_token");
        const isPaged = response.some((field) => shortName(field) === "next_page_token");
        const lists = response.filter(isRepeated).length;
        return !isLimited(size) || token === undefined || maxLength(token) === undefined || !isPaged || lists !== 1;
      })
      .map((method) => at(method, "is not paged, or without bounds")),
};

function isLimited(size: Field | undefined): boolean {
  const type = size?.rules?.type;
  return (type?.case === "uint32" || type?.case === "int32") && type.value.lessThan.case !== undefined;
}

const zeroUnspecified: ContractRule = {
  id: "zero-unspecified",
  rule: "the zero value of an enum is named ..._UNSPECIFIED",
  why: "zero is what an old or careless client sends without knowing",
  remedy: "give zero to <ENUM>_UNSPECIFIED and say in its comment what the server makes of it",
  check: (contract) =>
    contract.enums
      .flatMap(({ values }) => values)
      .filter((value) => value.number === 0 && !value.name.endsWith("_UNSPECIFIED"))
      .map((value) => at(value, "is the zero value")),
};

const reasonsListed: ContractRule = {
  id: "reasons-listed",
  rule: "a package with a service has an enum ErrorReason",
  why: "programs branch on reasons; what is not listed cannot be relied on",
  remedy: "add error_reason.proto; each value says its status code and when it is given",
  check: (contract) =>
    contract.services
      .filter((service) => !contract.enums.some(({ name }) => name === `${service.package}.ErrorReason`))
      .map((service) => at(service, "has no ErrorReason beside it")),
};

const boundedRequests: ContractRule = {
  id: "bounded-requests",
  rule: "texts, bytes, lists and maps of requests have an upper bound",
  why: "a stranger's request is refused by name and size before anything works on it",
  remedy: "add max_len, max_items or max_pairs (or a format such as uuid), and say the limit in the comment",
  check(contract) {
    const inputs = new Set(methodsOf(contract).map(({ input }) => input));
    return contract.messages
      .filter(({ name }) => inputs.has(name))
      .flatMap(({ fields }) => fields)
      .filter((field) => !isBounded(field))
      .map((field) => at(field, "has no upper bound"));
  },
};

function isRepeated({ proto }: Field): boolean {
  return proto.label === FieldDescriptorProto_Label.REPEATED;
}

function isBounded(field: Field): boolean {
  const type = field.rules?.type;
  if (isRepeated(field)) {
    if (type?.case === "map") return type.value.maxPairs > 0n;
    return type?.case === "repeated" && type.value.maxItems > 0n;
  }
  if (field.proto.type === FieldDescriptorProto_Type.BYTES) return type?.case === "bytes" && type.value.maxLen > 0n;
  if (field.proto.type === FieldDescriptorProto_Type.STRING) return maxLength(field) !== undefined;
  return true;
}

/** The longest text that the field takes; a format such as uuid is a bound too. */
function maxLength({ rules }: Field): number | undefined {
  if (rules?.type.case !== "string") return undefined;
  const { maxLen, len, maxBytes, wellKnown, pattern, in: values } = rules.type.value;
  if (wellKnown.case !== undefined || values.length > 0) return Number.POSITIVE_INFINITY;
  // A pattern bounds the length when it is anchored and repeats nothing without end.
  if (/^\^[^*+]*\$$/.test(pattern)) return Number.POSITIVE_INFINITY;
  return [maxLen, len, maxBytes].map(Number).find((bound) => bound > 0);
}

/** Every rule about the contract beyond those of `buf lint`. Each has a seeded violation in seeds.test.ts. */
export const CONTRACT_RULES: readonly ContractRule[] = [
  documented,
  idempotencyStated,
  requestResponseNames,
  requestIds,
  pagedLists,
  zeroUnspecified,
  reasonsListed,
  boundedRequests,
];
