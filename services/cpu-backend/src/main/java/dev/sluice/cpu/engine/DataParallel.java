package dev.sluice.cpu.engine;

import dev.sluice.cpu.engine.LaunchFlags.UsageException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How an engine is divided into ranks that generate side by side, each with a cache of its own, over the same weights.
 *
 * @param ranks at least 1
 * @param dividesLimits whether limits of the engine are divided among the ranks ({@code --enable-dp-attention}) or each rank
 *     has them whole
 * @param balance how a request without a rank of its own gets one
 */
record DataParallel(int ranks, boolean dividesLimits, Balance balance) {
    /** A rank is a thread that computes. */
    private static final int MAX_RANKS = 64;

    /** How requests are spread. */
    enum Balance {
        ROUND_ROBIN,
        /** To the rank with the fewest requests. */
        TOTAL_REQUESTS,
        /** To the rank whose requests hold the fewest tokens, prompts and longest possible outputs together. */
        TOTAL_TOKENS
    }

    static DataParallel of(LaunchFlags flags) {
        Integer ranks = flags.number("dp_size");
        int count = ranks == null ? 1 : ranks;
        if (count < 1 || count > MAX_RANKS) {
            throw new UsageException("argument --dp-size: must be 1 to " + MAX_RANKS + ", got " + count);
        }
        return new DataParallel(
                count, count > 1 && flags.isSet("enable_dp_attention"), balance(flags.text("load_balance_method")));
    }

    private static Balance balance(@Nullable String method) {
        return switch (method) {
            case null -> Balance.ROUND_ROBIN;
            case "auto", "round_robin", "follow_bootstrap_room" -> Balance.ROUND_ROBIN;
            case "total_requests", "total_tokens" -> Balance.valueOf(method.toUpperCase(Locale.ROOT));
            default -> throw new UsageException("argument --load-balance-method: invalid choice: '" + method + "'");
        };
    }

    /** One rank's share of a limit. */
    int share(int limit) {
        return dividesLimits ? Math.max(1, limit / ranks) : limit;
    }
}
