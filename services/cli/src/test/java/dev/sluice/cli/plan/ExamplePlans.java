package dev.sluice.cli.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.Plan.Alternative;
import dev.sluice.events.Plan.Choice;
import dev.sluice.events.Plan.EngineLayout;
import dev.sluice.events.Plan.Fallback;
import dev.sluice.events.Plan.Memory;
import dev.sluice.events.Plan.ModelFigures;
import dev.sluice.events.Plan.Part;
import dev.sluice.events.Plan.Prediction;
import dev.sluice.events.Plan.Rejection;
import dev.sluice.events.Plan.RolloutPlan;
import dev.sluice.events.Plan.Stage;
import dev.sluice.events.Plan.TrainingLayout;
import dev.sluice.events.Plan.TrainingPlan;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.TrainingRequest.Transport;
import java.util.List;
import java.util.Map;

/** Plans written by hand, with the figures of GLM-4.7-Flash that a planner would give. */
public final class ExamplePlans {
    private static final ModelFigures GLM =
            new ModelFigures("glm4_moe_lite", 29_943_390_976L, 3_579_566_848L, 643_706_112L, 202_752);

    private ExamplePlans() {}

    static TrainingRequest request(String cluster) {
        String yaml = """
                name: glm47-flash
                backend: %s
                model: {path: /data/GLM-4.7-Flash}
                data: {prompts: /data/dapo-math-17k.jsonl}
                training: {steps: 3000}
                %s
                """.formatted(cluster.isEmpty() ? "cpu" : "gpu", cluster);
        try {
            return switch (RequestReader.read(new YAMLMapper().readTree(yaml))) {
                case Reading.Complete complete -> complete.request();
                case Reading.Refused refused -> throw new AssertionError(refused.problems());
            };
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    static TrainingRequest oneNode() {
        return request("cluster: {placement: colocated, gpu: H100-80, gpusPerNode: 8, hostMemoryGiB: 2048}");
    }

    static TrainingRequest nodes(int nodes) {
        return request("cluster: {placement: colocated, gpu: H100-80, trainNodes: %d, rolloutNodes: %d}"
                .formatted(nodes, nodes));
    }

    /** Eight GPUs that rollout and training share. */
    public static Plan glmOnOneNode() {
        return new Plan(
                Backend.GPU,
                GLM,
                new TrainingPlan(
                        new TrainingLayout(1, 1, 1, 8, 1, 8),
                        List.of(
                                "--tensor-model-parallel-size",
                                "1",
                                "--pipeline-model-parallel-size",
                                "1",
                                "--expert-model-parallel-size",
                                "8",
                                "--moe-layer-freq",
                                "[0]*1+[1]*46",
                                "--optimizer-cpu-offload",
                                "--use-distributed-optimizer",
                                "--recompute-granularity",
                                "full"),
                        new Memory(
                                48.8,
                                896,
                                74.4,
                                List.of(
                                        new Part("weights", 10.5),
                                        new Part("gradients", 21.0),
                                        new Part("activations", 1.5),
                                        new Part("logits", 11.8),
                                        new Part("fixed", 4)),
                                List.of(
                                        new Part("Adam", 558),
                                        new Part("weight copies", 210),
                                        new Part("processes", 128))),
                        true,
                        8,
                        8192,
                        List.of(new Stage(47, 48.8)),
                        Map.of("CUDA_DEVICE_MAX_CONNECTIONS", "1")),
                new RolloutPlan(
                        1,
                        new EngineLayout(8, 8, 1, 0),
                        List.of(
                                "--tp-size",
                                "8",
                                "--dp-size",
                                "8",
                                "--enable-dp-attention",
                                "--enable-dp-lm-head",
                                "--mem-fraction-static",
                                "0.7",
                                "--cuda-graph-max-bs",
                                "16",
                                "--max-running-requests",
                                "128"),
                        824_456,
                        128,
                        8,
                        List.of(
                                new Part("weights", 9.8),
                                new Part("KV cache", 41.6),
                                new Part("draft", 1.1),
                                new Part("trainer residue", 4)),
                        Map.of(),
                        List.of(
                                new Fallback("a static share of 0.65 leaves 4 GiB more for graphs", List.of()),
                                new Fallback("decoding graphs up to a batch of 8", List.of()))),
                new Prediction(
                        118,
                        83,
                        153,
                        1_152_000,
                        List.of(
                                new Part("rollout", 79.6),
                                new Part("training", 25.8),
                                new Part("weights", 6.8),
                                new Part("sleep and wake", 5))),
                List.of(
                        new Choice(
                                "training.layout",
                                "TP1 PP1 CP1 EP8 ETP1",
                                "no collective inside attention, experts stay within the node's NVLink",
                                "TP2 EP8: 4 % slower, 5.7 GiB less"),
                        new Choice(
                                "training.layout.cpuAdam",
                                "on",
                                "without it 90.6 GiB a GPU, of 74.4 that a plan may use (H01)",
                                "precision-aware Adam on the GPU: 83.6 GiB (H01)"),
                        new Choice(
                                "training.layout.tokensPerGpu",
                                "8192",
                                "the longest sample fits; logits grow by 1.4 GiB each 1,024 tokens",
                                null),
                        new Choice(
                                "rollout.layout.dp",
                                "8",
                                "20 heads do not divide by 8, and the latent cache is not split by TP",
                                "dp 4: half the KV cache a request")),
                List.of(Problem.warning(
                        "S22",
                        "rollout.layout.cudaGraphMaxBatch",
                        "16 requests a rank are captured as graphs, up to 32 run at once with evaluation: the rest runs eagerly",
                        "set rollout.layout.cudaGraphMaxBatch to 32, for 0.3 GiB")),
                List.of(
                        new Alternative("TP1 PP1 CP1 EP8, 12,288 tokens", 119, 55.2, "within 1 %; more memory"),
                        new Alternative(
                                "TP1 PP1 CP1 EP4, 8,192 tokens",
                                121,
                                61.9,
                                "slower by 3 s: twice the experts a GPU, so CPU Adam moves more"),
                        new Alternative("TP2 PP1 CP1 EP8, 16,384 tokens", 123, 43.1, "4 % slower"),
                        new Alternative("TP4 PP1 CP1 EP8, 16,384 tokens", 131, 33.6, "11 % slower")),
                List.of(
                        new Rejection("TP 8", "M03", "20 attention heads do not divide by TP 8", 42),
                        new Rejection(
                                "PP 2, even stages",
                                "M08",
                                "47 layers do not divide into 2 stages; give a last stage",
                                96),
                        new Rejection(
                                "Adam on the GPU", "H01", "at least 83.6 GiB a GPU, of 74.4 that a plan may use", 110)),
                Placement.COLOCATED,
                Transport.TENSOR);
    }

    /** Two nodes that rollout and training share; stages of 24 and 23 layers. */
    static Plan glmOnTwoNodes() {
        Plan one = glmOnOneNode();
        return new Plan(
                Backend.GPU,
                GLM,
                new TrainingPlan(
                        new TrainingLayout(4, 2, 2, 8, 1, 1),
                        one.training().args(),
                        new Memory(
                                49.1,
                                205,
                                74.4,
                                List.of(
                                        new Part("weights", 3.5),
                                        new Part("gradients", 7.0),
                                        new Part("optimizer", 21.1),
                                        new Part("activations", 1.7),
                                        new Part("logits", 11.8),
                                        new Part("fixed", 4)),
                                List.of(new Part("weight copies", 77), new Part("processes", 128))),
                        false,
                        16,
                        32_768,
                        List.of(new Stage(24, 40.9), new Stage(23, 49.1)),
                        Map.of()),
                new RolloutPlan(
                        2,
                        new EngineLayout(8, 4, 8, 0),
                        one.rollout().args(),
                        981_320,
                        256,
                        8,
                        one.rollout().memory(),
                        Map.of(),
                        List.of()),
                new Prediction(
                        75,
                        52,
                        98,
                        1_152_000,
                        List.of(
                                new Part("rollout", 50),
                                new Part("training", 13),
                                new Part("weights", 7),
                                new Part("sleep and wake", 5))),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                Placement.COLOCATED,
                Transport.TENSOR);
    }

    /** Eight GPUs that train beside eight that sample: rollout and training overlap. */
    static Plan glmOnTwoPools() {
        Plan one = glmOnOneNode();
        return new Plan(
                Backend.GPU,
                GLM,
                one.training(),
                one.rollout(),
                new Prediction(
                        60,
                        42,
                        78,
                        1_152_000,
                        List.of(new Part("rollout", 57), new Part("training", 28), new Part("weights", 3.2))),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                Placement.DISAGGREGATED,
                Transport.NCCL);
    }

    /** A plan of this layout; all else is as on one node. */
    static Plan of(TrainingLayout layout, int gpus, List<Stage> stages, RolloutPlan rollout) {
        Plan one = glmOnOneNode();
        TrainingPlan training =
                new TrainingPlan(layout, List.of(), one.training().memory(), false, gpus, 8192, stages, Map.of());
        return new Plan(
                Backend.GPU,
                GLM,
                training,
                rollout,
                one.prediction(),
                one.choices(),
                List.of(),
                List.of(),
                List.of(),
                Placement.COLOCATED,
                Transport.TENSOR);
    }

    static RolloutPlan engines(int engines, EngineLayout layout, int gpusPerEngine) {
        return new RolloutPlan(engines, layout, List.of(), 824_456, 128, gpusPerEngine, List.of(), Map.of(), List.of());
    }

    /** The embedded engine and worker. */
    static Plan cpu() {
        return new Plan(
                Backend.CPU,
                new ModelFigures("glm4_moe_lite", 1_234_567, 345_678, 45_678, 256),
                new TrainingPlan(
                        new TrainingLayout(1, 1, 1, 1, 1, 1),
                        List.of("--num-layers", "4"),
                        new Memory(0, 0.02, 0, List.of(), List.of(new Part("worker", 0.02))),
                        true),
                new RolloutPlan(2, new EngineLayout(1, 1, 1, 0), List.of("--context-length", "256"), 32_768, 128),
                null,
                List.of(new Choice(
                        "rollout.engines",
                        "2",
                        "one engine loads weights or restarts while the other samples",
                        "1: sampling would stop at every publication")),
                List.of());
    }

    /** The same with one engine over two nodes. */
    static Plan cpuOverTwoNodes() {
        Plan plan = cpu();
        RolloutPlan spread = new RolloutPlan(
                1, new EngineLayout(1, 1, 1, 0), List.of("--tp-size", "2", "--nnodes", "2"), 32_768, 128);
        return new Plan(plan.backend(), plan.model(), plan.training(), spread, null, plan.choices(), plan.warnings());
    }
}
