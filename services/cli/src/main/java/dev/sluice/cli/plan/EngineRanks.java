package dev.sluice.cli.plan;

import dev.sluice.events.Plan.EngineLayout;
import dev.sluice.events.Plan.RolloutPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * Where SGLang puts each rank of an engine: a pipeline stage is a block of tensor ranks. With data-parallel attention
 * neighbours share one attention (attention TP = TP / DP), and neighbours share one set of experts (expert TP = TP / EP).
 * Engines fill the GPUs one after the other.
 *
 * @param layout of one engine
 * @param gpusPerEngine GPUs of one engine
 * @param engineGpus GPUs of all engines
 * @param pool GPUs of the pool that is drawn, of which the first sample
 * @see <a href="https://github.com/sgl-project/sglang/blob/main/python/sglang/srt/layers/dp_attention.py">SGLang,
 *     dp_attention.py: {@code compute_dp_attention_world_info}</a>
 * @see <a href="https://github.com/sgl-project/sglang/blob/main/python/sglang/srt/distributed/parallel_state.py">SGLang,
 *     parallel_state.py: {@code initialize_model_parallel}</a>
 */
record EngineRanks(EngineLayout layout, int gpusPerEngine, int engineGpus, int pool) {
    static EngineRanks of(RolloutPlan rollout, int pool) {
        return new EngineRanks(
                rollout.layout(), rollout.gpusPerEngine(), rollout.engines() * rollout.gpusPerEngine(), pool);
    }

    int engine(int gpu) {
        return gpu / gpusPerEngine;
    }

    int pp(int gpu) {
        return gpu % gpusPerEngine / layout.tp();
    }

    int tp(int gpu) {
        return gpu % gpusPerEngine % layout.tp();
    }

    int attentionDp(int gpu) {
        return tp(gpu) / attentionTpSize();
    }

    int attentionTp(int gpu) {
        return tp(gpu) % attentionTpSize();
    }

    int ep(int gpu) {
        return tp(gpu) / expertTpSize();
    }

    int expertTp(int gpu) {
        return tp(gpu) % expertTpSize();
    }

    private int attentionTpSize() {
        return Math.max(1, layout.tp() / layout.dp());
    }

    private int expertTpSize() {
        return Math.max(1, layout.tp() / layout.ep());
    }

    /** The engine of each GPU and its ranks in it, slowest first; empty without engines. */
    List<GridRow> rows() {
        if (engineGpus == 0) {
            return List.of();
        }
        List<GridRow> rows = new ArrayList<>();
        rows.add(GridRow.of("rollout", "", pool, within(this::engine), engine -> "engine " + engine));
        add(rows, "rollout", "PP", gpusPerEngine / layout.tp(), this::pp);
        if (layout.dp() == 1 && layout.ep() == 1) {
            add(rows, "rollout", "TP", layout.tp(), this::tp);
        } else {
            String experts = layout.ep() > 1 ? "experts" : "feed-forward";
            add(rows, "attention", "DP", layout.dp(), this::attentionDp);
            add(rows, "attention", "TP", attentionTpSize(), this::attentionTp);
            add(rows, experts, "EP", layout.ep(), this::ep);
            add(rows, experts, "TP", expertTpSize(), this::expertTp);
        }
        return rows;
    }

    private void add(List<GridRow> rows, String group, String dimension, int size, IntUnaryOperator coordinate) {
        if (size > 1) {
            rows.add(GridRow.of(group, dimension, pool, within(coordinate)));
        }
    }

    private IntUnaryOperator within(IntUnaryOperator coordinate) {
        return gpu -> gpu < engineGpus ? coordinate.applyAsInt(gpu) : GridRow.NONE;
    }
}
