import { wrapIterable } from "./wrap-iterable.ts";

export interface IterableWatcher {
  /** The source came to its end; may throw to make it a failure. */
  onDone?: () => void;
  /** The source failed; what is returned is thrown instead. */
  onError?: (error: unknown) => Error;
  /** The consumer lost interest before the end. */
  onReturn?: () => void;
}

/** The same values, with a look at how the stream ends, once. */
export function watchIterable<T>(source: AsyncIterable<T>, watcher: IterableWatcher): AsyncIterable<T> {
  return wrapIterable(source, (next) => {
    let ended = false;
    return {
      async next() {
        let result: IteratorResult<T>;
        try {
          result = await next();
        } catch (error) {
          if (ended || watcher.onError === undefined) throw error;
          ended = true;
          throw watcher.onError(error);
        }
        if (result.done === true && !ended) {
          ended = true;
          watcher.onDone?.();
        }
        return result;
      },
      left() {
        if (ended) return;
        ended = true;
        watcher.onReturn?.();
      },
    };
  });
}
