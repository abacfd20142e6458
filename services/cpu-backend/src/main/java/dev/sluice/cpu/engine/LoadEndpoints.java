package dev.sluice.cpu.engine;

import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.BodyException;
import dev.sluice.cpu.http.Call;
import dev.sluice.sglang.Loads;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What each data-parallel rank is doing, for balancers. */
final class LoadEndpoints {
    private static final Set<String> SECTIONS = Set.of("core", "memory", "spec", "lora", "disagg", "queues", "all");

    private final Engine engine;
    private final Clock clock;

    LoadEndpoints(Engine engine, Clock clock) {
        this.engine = engine;
        this.clock = clock;
    }

    /** {@code /v1/loads}: all ranks, or the one that {@code dp_rank} names. */
    Answer loads(Call call) throws Exception {
        String include = call.parameter("include");
        for (String section : include == null ? new String[0] : include.split(",")) {
            if (!SECTIONS.contains(section)) {
                throw new BodyException("include: " + section + " is none of " + SECTIONS);
            }
        }
        Integer asked = rank(call.parameter("dp_rank"));
        List<Figures> figures = engine.ranks().figures();
        if ("prometheus".equals(call.parameter("format"))) {
            return new Answer.Text(
                    200,
                    "text/plain; version=0.0.4; charset=utf-8",
                    MetricsText.of(figures, engine.options(), engine.startup()));
        }
        List<Loads.Load> loads = new ArrayList<>();
        for (int rank = 0; rank < figures.size(); rank++) {
            if (asked == null || asked == rank) {
                loads.add(load(rank, figures.get(rank)));
            }
        }
        return Answer.ok(new Loads(Instant.now(clock).toString(), StatusEndpoints.VERSION, loads));
    }

    private Loads.Load load(int rank, Figures figures) {
        int rows = engine.options().rows();
        Loads.Drafts drafts = figures.acceptLength() == null || figures.acceptRate() == null
                ? null
                : new Loads.Drafts(figures.acceptLength(), figures.acceptRate());
        return new Loads.Load(
                rank,
                figures.running(),
                figures.waiting() + figures.held(),
                figures.waitingTokens(),
                figures.usedTokens(),
                figures.usedTokens() + figures.waitingTokens(),
                figures.capacityTokens(),
                rows,
                figures.tokenUsage(),
                figures.throughput(),
                figures.cacheHitRate(),
                (double) (figures.running() + figures.waiting()) / rows,
                drafts);
    }

    /** {@code /get_load}, the deprecated form. */
    Answer load(Call call) throws Exception {
        List<Figures> figures = engine.ranks().figures();
        List<Map<String, Object>> loads = new ArrayList<>();
        for (int rank = 0; rank < figures.size(); rank++) {
            Figures one = figures.get(rank);
            Map<String, Object> load = new LinkedHashMap<>();
            load.put("dp_rank", rank);
            load.put("num_reqs", one.running() + one.waiting() + one.held());
            load.put("num_waiting_reqs", one.waiting() + one.held());
            load.put("num_tokens", one.usedTokens());
            load.put("num_pending_tokens", one.waitingTokens());
            load.put("ts_tic", clock.millis() / 1e3);
            loads.add(load);
        }
        return Answer.ok(loads);
    }

    private @Nullable Integer rank(@Nullable String given) {
        if (given == null) {
            return null;
        }
        int ranks = engine.ranks().count();
        try {
            int rank = Integer.parseInt(given);
            if (rank >= 0 && rank < ranks) {
                return rank;
            }
        } catch (NumberFormatException e) {
            // Refused below.
        }
        throw new BodyException("dp_rank: must be 0 to " + (ranks - 1) + ", got " + given);
    }
}
