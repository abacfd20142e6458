package dev.sluice.trainer;

import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import java.util.List;
import java.util.Map;

/** Plans of runs that train on GPUs. */
public final class GpuPlans {
    public static final List<String> ARGS =
            List.of("--tensor-model-parallel-size", "2", "--recompute-granularity", "full");

    private GpuPlans() {}

    /** TP 2 on so many GPUs. */
    public static Plan of(int gpus, Map<String, String> environment) {
        return new Plan(
                Backend.GPU,
                new Plan.ModelFigures("glm4_moe_lite", 1, 1, 0, 64),
                new Plan.TrainingPlan(
                        new Plan.TrainingLayout(Math.min(2, gpus), 1, 1, 1, 1, Math.max(1, gpus / 2)),
                        ARGS,
                        new Plan.Memory(1, 1),
                        false,
                        gpus,
                        64,
                        List.of(),
                        environment),
                new Plan.RolloutPlan(1, new Plan.EngineLayout(1, 1, 1, 0), List.of(), 1024, 8),
                null,
                List.of(),
                List.of());
    }
}
