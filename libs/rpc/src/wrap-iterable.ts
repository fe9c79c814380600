/** What a wrapper does with one pass over the source. */
export interface PassWrapper<T> {
  next(): Promise<IteratorResult<T>>;
  /** The consumer leaves before the end. */
  left?(): void;
}

/** An iterable whose `next` goes through a wrapper; `return` and `throw` reach the source, so that its cleanup runs. */
export function wrapIterable<T>(
  source: AsyncIterable<T>,
  wrap: (next: () => Promise<IteratorResult<T>>) => PassWrapper<T>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]();
      const pass = wrap(() => iterator.next());
      return {
        next: () => pass.next(),
        return(value) {
          pass.left?.();
          return iterator.return?.(value) ?? Promise.resolve({ done: true, value });
        },
        async throw(reason: Error) {
          pass.left?.();
          if (iterator.throw === undefined) throw reason;
          return iterator.throw(reason);
        },
      };
    },
  };
}
