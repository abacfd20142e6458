package dev.sluice.cli.plan;

import static dev.sluice.cli.plan.Figures.exact;
import static dev.sluice.cli.plan.Figures.some;

import dev.sluice.events.Plan;
import dev.sluice.events.Plan.EngineLayout;
import dev.sluice.events.Plan.RolloutPlan;
import dev.sluice.events.Plan.TrainingLayout;
import dev.sluice.events.Plan.TrainingPlan;
import dev.sluice.events.TrainingRequest.Transport;

/** What runs where: sizes in words, then ranks drawn on GPUs. */
record LayoutSection(Plan plan, Machines machines) {
    void write(Page page) {
        page.heading("Layout");
        page.entry("training", training(plan.training()));
        page.entry("rollout", rollout(plan.rollout()));
        page.entry("weights", weights(plan.transport()));
        Pool.of(plan, machines.gpusPerNode(), plan.colocated()).forEach(pool -> pool.draw(page));
    }

    private static String weights(Transport transport) {
        return switch (transport) {
            case NCCL -> "nccl: the worker sends from GPU to GPU";
            case TENSOR -> "tensor: engines open the worker's memory on the GPUs that they share";
            case DISK, AUTO -> "disk: as files that the engines load";
            case DISK_DELTA -> "disk_delta: what changed as files, where engines hold the version before";
        };
    }

    private static String training(TrainingPlan training) {
        if (training.gpus() == 0) {
            return "one process without GPUs";
        }
        TrainingLayout layout = training.layout();
        StringBuilder text = new StringBuilder("%s: TP%d PP%d CP%d DP%d"
                .formatted(some(training.gpus(), "GPU"), layout.tp(), layout.pp(), layout.cp(), layout.dp()));
        if (layout.ep() > 1 || layout.etp() > 1) {
            text.append(", experts EP%d ETP%d".formatted(layout.ep(), layout.etp()));
        }
        if (training.tokensPerGpu() > 0) {
            text.append("; %s tokens a GPU in a micro-batch".formatted(exact(training.tokensPerGpu())));
        }
        return text.append(training.cpuAdam() ? "; Adam's state in host memory" : "; Adam's state on the GPUs")
                .toString();
    }

    private static String rollout(RolloutPlan rollout) {
        if (rollout.engines() == 0) {
            return "nothing is sampled";
        }
        return "%s%s; a KV cache of %s tokens %s; %s samples at once%s"
                .formatted(
                        some(rollout.engines(), "engine"),
                        rollout.gpusPerEngine() == 0 ? " without GPUs" : engine(rollout),
                        exact(rollout.kvTokensPerRank()),
                        rollout.gpusPerEngine() == 0 ? "an engine" : "a rank",
                        exact(rollout.maxRunningRequests()),
                        rollout.engines() == 1 ? "" : " in each");
    }

    private static String engine(RolloutPlan rollout) {
        EngineLayout layout = rollout.layout();
        int pp = rollout.gpusPerEngine() / layout.tp();
        return " of %s: TP%d%s%s%s%s"
                .formatted(
                        some(rollout.gpusPerEngine(), "GPU"),
                        layout.tp(),
                        pp > 1 ? " PP" + pp : "",
                        layout.dp() > 1 ? ", attention DP" + layout.dp() : "",
                        layout.ep() > 1 ? ", experts EP" + layout.ep() : "",
                        layout.redundantExperts() > 0
                                ? ", " + some(layout.redundantExperts(), "extra expert slot")
                                : "");
    }
}
