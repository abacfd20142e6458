package dev.sluice.cli.plan;

import static dev.sluice.cli.plan.Figures.some;

import dev.sluice.domain.candidate.Gpu;
import dev.sluice.events.Plan;
import dev.sluice.events.TrainingRequest;
import java.util.Optional;

/** The machines that a plan uses. */
record Machines(TrainingRequest request, Plan plan) {
    int gpusPerNode() {
        return Math.max(1, request.cluster().gpusPerNode());
    }

    /** GiB that processes can use on a GPU; empty on cpu and for a GPU without figures. */
    Optional<Double> gpuGiB() {
        return Optional.ofNullable(request.cluster().gpu()).flatMap(Gpu::named).map(Gpu::usableGiB);
    }

    /** GiB of a host; empty where unknown. */
    Optional<Double> hostGiB() {
        return Optional.of((double) request.cluster().hostMemoryGiB()).filter(gib -> gib > 0);
    }

    @Override
    public String toString() {
        int training = plan.training().gpus();
        int rollout = plan.rollout().engines() * plan.rollout().gpusPerEngine();
        if (training + rollout == 0) {
            return plan.colocated() ? "no GPUs, colocated: rollout and training take turns on one host" : "no GPUs";
        }
        String gpu = request.cluster().gpu() == null ? "GPU" : request.cluster().gpu() + " GPU";
        if (rollout == 0) {
            return "%s on %s".formatted(some(training, gpu), nodes(training));
        }
        return plan.colocated()
                ? "%s on %s, colocated: rollout and training take turns on them"
                        .formatted(some(Math.max(training, rollout), gpu), nodes(Math.max(training, rollout)))
                : "%s on %s train, %s on %s sample"
                        .formatted(some(training, gpu), nodes(training), some(rollout, gpu), nodes(rollout));
    }

    private String nodes(int gpus) {
        return some(Math.ceilDiv(gpus, gpusPerNode()), "node");
    }
}
