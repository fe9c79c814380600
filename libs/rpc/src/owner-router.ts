import type { DescMessage, DescMethodServerStreaming, DescMethodUnary, MessageShape } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { DomainError, hasMoved } from "@heddle/errors";
import type { Dial } from "./dialer.ts";
import { forwardCall } from "./forward.ts";
import { createOwnerWatch } from "./owner-watch.ts";
import type { PartitionDirectory } from "./partition-directory.ts";
import { RpcReason } from "./reasons.ts";
import { createRetryPatience, type RetryPatience } from "./retry-patience.ts";

export { hasMoved };

/** Marks a call that another replica has passed on: whoever gets it answers it, and passes it on no further. */
export const FORWARDED_HEADER = "heddle-forwarded";

export interface OwnerRouterOptions {
  directory: PartitionDirectory;
  /**
   * Reaches other replicas. Without it every call is for this process. Give no `services` to the dialer: what may be
   * repeated is repeated here, at whoever is the owner by then.
   */
  dial?: Dial;
  /** How long a call waits while its partition is between owners, or its owner cannot be reached. Default 5000. */
  waitMaxMs?: number;
}

export interface UnaryRoute<I extends DescMessage, O extends DescMessage> {
  /** Undefined: any process may answer, so this one does. Asked again for every try. */
  partitionOf(request: MessageShape<I>): number | undefined;
  /**
   * A refusal with PARTITION_NOT_OWNED or PARTITION_LOST must mean that nothing has happened: the call is then repeated
   * wherever the partition is. What a handler does after its commit goes through `readChanged` or `afterCommit`.
   */
  handle(request: MessageShape<I>, context: HandlerContext): Promise<MessageShape<O>>;
  /** Whether this request may be repeated after an unknown outcome. Default: what the method's idempotency_level says. */
  isRepeatable?(request: MessageShape<I>): boolean;
}

export interface StreamRoute<I extends DescMessage, O extends DescMessage> {
  partitionOf(request: MessageShape<I>): number | undefined;
  handle(request: MessageShape<I>, context: HandlerContext): AsyncIterable<MessageShape<O>>;
  /** The request that goes on after this message: how a stream survives the loss of its owner without a gap. */
  resume(request: MessageShape<I>, after: MessageShape<O>): MessageShape<I>;
}

/** Brings calls to the owner of what they are about. */
export interface OwnerRouter {
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    route: UnaryRoute<I, O>,
  ): UnaryRoute<I, O>["handle"];
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    route: StreamRoute<I, O>,
  ): StreamRoute<I, O>["handle"];
}

const FORWARDED = { [FORWARDED_HEADER]: "1" };
const DEFAULT_WAIT_MS = 5_000;

/** What else a repetition at the next owner may mend, when the call may be repeated. */
const PASSING = new Set<string>([RpcReason.shuttingDown, "COMMIT_OUTCOME_UNKNOWN"]);
/** The reason of a failure that no server has given: the owner could not be reached, or went away. */
const UNREACHABLE = "UNAVAILABLE";

/**
 * A call is handled here when this process owns its partition, and passed on to the owner otherwise, once: an owner that
 * has just lost the partition refuses, and the first receiver looks again. While the partition is between owners the
 * call waits. After an unknown outcome it is repeated only if it may be.
 */
export function createOwnerRouter({ directory, dial, waitMaxMs = DEFAULT_WAIT_MS }: OwnerRouterOptions): OwnerRouter {
  /** The owner to pass the call on to; throws when there is none to pass it to. */
  const findRemote = async (partition: number, context: HandlerContext, fresh: boolean) => {
    if (isForwarded(context)) throw notOwned(partition);
    const found = await directory.findOwner(partition, { fresh });
    if (found === undefined || found.owner === directory.owner || found.address === "" || dial === undefined) {
      throw notOwned(partition);
    }
    return { name: found.owner, transport: dial(found.address) };
  };

  const passOn = <T>(
    method: DescMethodUnary | DescMethodServerStreaming,
    request: unknown,
    context: HandlerContext,
    owner: Awaited<ReturnType<typeof findRemote>>,
  ): { answer: T; watch: ReturnType<typeof createOwnerWatch> } => {
    const watch = createOwnerWatch(directory, owner.name, context.signal);
    const answer = forwardCall(owner.transport, method, request, { ...context, signal: watch.signal }, FORWARDED) as T;
    return { answer, watch };
  };

  return {
    unary(method, { partitionOf, handle, isRepeatable = () => declaredIdempotent(method) }) {
      return async (request, context) => {
        let patience: RetryPatience | undefined;
        for (;;) {
          const partition = partitionOf(request);
          const isHere = partition === undefined || directory.isOwned(partition);
          let failure: unknown;
          try {
            if (isHere) return await handle(request, context);
            const owner = await findRemote(partition, context, patience !== undefined);
            const { answer, watch } = passOn<Promise<never>>(method, request, context, owner);
            try {
              return await answer;
            } catch (error) {
              throw watch.explain(error, partition, method.idempotency !== Idempotency.NO_SIDE_EFFECTS);
            } finally {
              watch.end();
            }
          } catch (error) {
            if (isForwarded(context) || !mayRepeat(error, isHere, () => isRepeatable(request))) throw error;
            failure = error;
          }
          patience ??= createRetryPatience(directory, waitMaxMs, context);
          await patience.pause(failure);
        }
      };
    },

    stream(method, { partitionOf, handle, resume }) {
      return async function* (request, context) {
        let patience: RetryPatience | undefined;
        let rest = request;
        for (;;) {
          const partition = partitionOf(rest);
          const isHere = partition === undefined || directory.isOwned(partition);
          let failure: unknown;
          try {
            if (isHere) {
              for await (const message of handle(rest, context)) {
                yield message;
                rest = resume(rest, message);
                patience = undefined;
              }
              return;
            }
            const owner = await findRemote(partition, context, patience !== undefined);
            const { answer, watch } = passOn<ReturnType<typeof handle>>(method, rest, context, owner);
            try {
              for await (const message of answer) {
                yield message;
                rest = resume(rest, message);
                patience = undefined;
              }
              return;
            } catch (error) {
              throw watch.explain(error, partition, false);
            } finally {
              watch.end();
            }
          } catch (error) {
            if (context.signal.aborted || isForwarded(context) || !mayRepeat(error, isHere, () => true)) throw error;
            failure = error;
          }
          patience ??= createRetryPatience(directory, waitMaxMs, context);
          await patience.pause(failure);
        }
      };
    },
  };
}

/**
 * For what a handler asks of other processes to answer its call: it is passed on also when the call itself was, because it
 * is another one.
 */
export function ownCallOf(context: HandlerContext, signal: AbortSignal = context.signal): HandlerContext {
  const requestHeader = new Headers(context.requestHeader);
  requestHeader.delete(FORWARDED_HEADER);
  return { ...context, requestHeader, signal };
}

function isForwarded(context: HandlerContext): boolean {
  return context.requestHeader.has(FORWARDED_HEADER);
}

function declaredIdempotent(method: DescMethodUnary): boolean {
  return method.idempotency !== Idempotency.IDEMPOTENCY_UNKNOWN;
}

function mayRepeat(error: unknown, wasHere: boolean, isRepeatable: () => boolean): boolean {
  if (!(error instanceof DomainError)) return false;
  if (hasMoved(error)) return true;
  // What a handler of ours could not reach is none of the owner's matters.
  return (PASSING.has(error.reason) || (error.reason === UNREACHABLE && !wasHere)) && isRepeatable();
}

function notOwned(partition: number): DomainError {
  return new DomainError({
    kind: "unavailable",
    reason: "PARTITION_NOT_OWNED",
    message: `partition ${partition} has no owner at the moment that this process could reach; repeat the request`,
    metadata: { partition: String(partition) },
    retryAfterMs: 100,
  });
}
