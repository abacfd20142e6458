package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import org.jspecify.annotations.Nullable;

/** An engine to change one value of; at first the recipe page's: GLM-4.7-Flash on eight GPUs. */
final class EngineDraft {
    int gpus = 8;
    int pp = 1;
    int dp = 8;
    boolean dpAttention = true;
    boolean dpLmHead = true;
    int ep = 8;
    int redundant = 0;
    int graph = 16;
    int running = 128;
    int chunk = 8192;
    int page = 1;
    int denseTp = 1;
    String a2a = "none";
    String deepEpMode = "auto";

    @Nullable
    String dispatch = null;

    boolean balancing = false;
    Speculation speculation = Speculation.eagle(2);
    double weightBytes = 2;
    double kvBytes = 2;
    Flags flags = Flags.NONE;

    /** Without DP attention and speculation, as the recipes of dense models are. */
    EngineDraft plain(int gpus) {
        this.gpus = gpus;
        dp = 1;
        dpAttention = false;
        dpLmHead = false;
        ep = 1;
        denseTp = 0;
        speculation = Speculation.OFF;
        graph = 256;
        running = 0;
        return this;
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
                0.7,
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
