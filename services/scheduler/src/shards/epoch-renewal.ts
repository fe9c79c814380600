import type { Logger } from "@heddle/telemetry";
import type { FencingTokens } from "../domain/fencing-tokens.ts";

/** After two thousand million deliveries it is time for a new epoch, long before the tokens run into the next one. */
export function createEpochRenewal(
  tokens: FencingTokens,
  nextEpoch: () => Promise<bigint | undefined>,
  logger: Logger,
): () => void {
  let renewing = false;
  return () => {
    if (renewing || !tokens.nearlyExhausted) return;
    renewing = true;
    nextEpoch().then(
      (epoch) => {
        // Undefined: the shard was lost, and its tokens with it.
        if (epoch !== undefined) tokens.advance(epoch);
        renewing = false;
      },
      (err: unknown) => {
        logger.error({ err }, "no new epoch for fencing tokens; the next turn tries again");
        renewing = false;
      },
    );
  };
}
