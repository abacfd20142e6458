package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import org.jspecify.annotations.Nullable;

/** The engine of a {@link CandidateDraft}, of which a test changes a few values: {@code engine -> engine.dp = 4}. */
public final class EngineDraft {
    public int gpus;
    public int pp;
    public int dp;
    public boolean dpAttention;
    public boolean dpLmHead;
    public int ep;
    public int redundant;
    public double fraction;
    public int graph;
    public int running;
    public int chunk;
    public int page;
    public int denseTp;
    public String a2a;
    public String deepEpMode;
    public @Nullable String dispatch;
    public boolean balancing;
    public Speculation speculation;
    public double weightBytes;
    public double kvBytes;
    public Flags flags;

    EngineDraft(EngineSide from) {
        gpus = from.gpus();
        pp = from.pp();
        dp = from.dp();
        dpAttention = from.dpAttention();
        dpLmHead = from.dpLmHead();
        ep = from.ep();
        redundant = from.redundantExperts();
        fraction = from.memFractionStatic();
        graph = from.cudaGraphMaxBatch();
        running = from.maxRunningRequests();
        chunk = from.chunkedPrefillTokens();
        page = from.pageTokens();
        denseTp = from.moeDenseTp();
        a2a = from.a2aBackend();
        deepEpMode = from.deepEpMode();
        dispatch = from.dispatchAlgorithm();
        balancing = from.expertBalancing();
        speculation = from.speculation();
        weightBytes = from.weightBytes();
        kvBytes = from.kvBytes();
        flags = from.flags();
    }

    /** Adds a flag of SGLang. */
    public void flag(String name, Object... value) {
        flags = flags.with(name, value);
    }

    /** So many attention groups that share the engine's samples; graphs hold those of each. */
    public void groups(int dp) {
        this.dp = dp;
        graph = Math.ceilDiv(running, dp);
    }

    /** So many samples at once, and graphs that hold them. */
    public void samples(int running) {
        this.running = running;
        graph = Math.ceilDiv(running, dp);
    }

    EngineSide build() {
        return new EngineSide(
                gpus,
                pp,
                dp,
                dpAttention,
                dpLmHead,
                ep,
                redundant,
                fraction,
                graph,
                running,
                chunk,
                page,
                denseTp,
                a2a,
                deepEpMode,
                dispatch,
                balancing,
                speculation,
                weightBytes,
                kvBytes,
                flags);
    }
}
