package dev.sluice.cli.plan;

import dev.sluice.events.Plan.Stage;
import dev.sluice.events.Plan.TrainingLayout;
import dev.sluice.events.Plan.TrainingPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * Where Megatron puts each rank. Its order is {@code tp-cp-ep-dp-pp}: tensor ranks are neighbours, then come context and
 * data ranks; a pipeline stage is one block of ranks. Experts divide the same block anew: expert tensor ranks are
 * neighbours, then expert ranks, then expert data ranks. {@code torchrun} numbers ranks node by node, so rank r is GPU
 * r mod gpusPerNode of node r / gpusPerNode.
 *
 * @param layout parallel sizes
 * @param gpus that train
 * @param pool GPUs of the pool that is drawn, of which the first train
 * @see <a href="https://github.com/NVIDIA/Megatron-LM/blob/main/megatron/core/parallel_state.py">Megatron-LM,
 *     parallel_state.py: {@code initialize_model_parallel} and {@code RankGenerator}</a>
 */
record TrainingRanks(TrainingLayout layout, int gpus, int pool) {
    private static final String DENSE = "training";
    private static final String EXPERTS = "experts";

    int pp(int rank) {
        return rank / stageGpus();
    }

    int dp(int rank) {
        return rank % stageGpus() / (layout.tp() * layout.cp());
    }

    int cp(int rank) {
        return rank / layout.tp() % layout.cp();
    }

    int tp(int rank) {
        return rank % layout.tp();
    }

    int edp(int rank) {
        return rank % stageGpus() / (layout.etp() * layout.ep());
    }

    int ep(int rank) {
        return rank / layout.etp() % layout.ep();
    }

    int etp(int rank) {
        return rank % layout.etp();
    }

    private int stageGpus() {
        return Math.max(1, gpus / layout.pp());
    }

    private int dpSize() {
        return stageGpus() / (layout.tp() * layout.cp());
    }

    private int edpSize() {
        return stageGpus() / (layout.etp() * layout.ep());
    }

    /** Coordinates of all dimensions that divide anything, slowest first, so that groups stand above their parts. */
    List<GridRow> dense(TrainingPlan training) {
        List<GridRow> rows = new ArrayList<>();
        if (layout.pp() > 1) {
            rows.add(GridRow.of(DENSE, "PP", pool, within(this::pp), stage -> stageWords(training.stages(), stage)));
        }
        add(rows, DENSE, "DP", dpSize(), this::dp);
        add(rows, DENSE, "CP", layout.cp(), this::cp);
        add(rows, DENSE, "TP", layout.tp(), this::tp);
        // One GPU that trains all by itself must be seen too.
        return rows.isEmpty() ? List.of(GridRow.of(DENSE, "DP", pool, within(this::dp))) : rows;
    }

    /** Coordinates of the experts; empty where every GPU holds all of them. */
    List<GridRow> experts() {
        List<GridRow> rows = new ArrayList<>();
        if (layout.ep() > 1 || layout.etp() > 1) {
            add(rows, EXPERTS, "DP", edpSize(), this::edp);
            add(rows, EXPERTS, "EP", layout.ep(), this::ep);
            add(rows, EXPERTS, "TP", layout.etp(), this::etp);
        }
        return rows;
    }

    private void add(List<GridRow> rows, String group, String dimension, int size, IntUnaryOperator coordinate) {
        if (size > 1) {
            rows.add(GridRow.of(group, dimension, pool, within(coordinate)));
        }
    }

    private IntUnaryOperator within(IntUnaryOperator coordinate) {
        return gpu -> gpu < gpus ? coordinate.applyAsInt(gpu) : GridRow.NONE;
    }

    private static String stageWords(List<Stage> stages, int stage) {
        return stage < stages.size()
                ? "stage %d: %s".formatted(stage, StageLayers.of(stages, stage))
                : "stage " + stage;
    }
}
