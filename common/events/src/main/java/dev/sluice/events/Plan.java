package dev.sluice.events;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How a request will run: figures of the model, layouts, exact argument lists, memory, prediction and the reasons. */
@About("How a request will run")
public record Plan(
        @About("What samples and trains") Backend backend,
        @About("Figures of the model") ModelFigures model,
        @About("The training side") TrainingPlan training,
        @About("The rollout side") RolloutPlan rollout,
        @About("Predicted time of a step") @Nullable Prediction prediction,
        @About("Every choice with its reason") List<Choice> choices,

        @About("What is odd but does not reject the request")
        List<Problem> warnings,

        @About("The next best layouts, fastest first") List<Alternative> alternatives,

        @About("Families of layouts that cannot run, each with the rule or number that rejects it")
        List<Rejection> rejections,

        @About("Whether engines and training take turns on the same GPUs")
        TrainingRequest.Placement placement,

        @About("How new weights reach the engines") TrainingRequest.Transport transport) {
    public Plan {
        // Plans of this version's first months have neither.
        placement = placement == null ? TrainingRequest.Placement.DISAGGREGATED : placement;
        transport = transport == null ? TrainingRequest.Transport.DISK : transport;
        alternatives = alternatives == null ? List.of() : List.copyOf(alternatives);
        rejections = rejections == null ? List.of() : List.copyOf(rejections);
    }

    /** The only layout there is. */
    public Plan(
            Backend backend,
            ModelFigures model,
            TrainingPlan training,
            RolloutPlan rollout,
            @Nullable Prediction prediction,
            List<Choice> choices,
            List<Problem> warnings) {
        this(
                backend,
                model,
                training,
                rollout,
                prediction,
                choices,
                warnings,
                List.of(),
                List.of(),
                TrainingRequest.Placement.DISAGGREGATED,
                TrainingRequest.Transport.DISK);
    }

    /** Whether engines and training take turns on the same GPUs. */
    public boolean colocated() {
        return placement == TrainingRequest.Placement.COLOCATED;
    }

    @About("Figures of the model")
    public record ModelFigures(
            @About("config.json's model_type") String modelType,

            @About("Parameters in all, without the MTP layer")
            long totalParameters,

            @About("Parameters a token passes through") long activeParameters,
            @About("Parameters of the MTP layer") long mtpParameters,
            @About("Longest sequence, tokens") int maxContextTokens,

            @About("Floating-point operations of a token's forward pass, without attention scores")
            double flopsPerToken,

            @About("Floating-point operations of the attention scores of a sequence, by the square of its tokens")
            double flopsPerSquaredToken) {
        /** Without operations, as plans of this version's first months are. */
        public ModelFigures(
                String modelType,
                long totalParameters,
                long activeParameters,
                long mtpParameters,
                int maxContextTokens) {
            this(modelType, totalParameters, activeParameters, mtpParameters, maxContextTokens, 0, 0);
        }
    }

    @About("The training side")
    public record TrainingPlan(
            @About("Parallel layout") TrainingLayout layout,

            @About("Arguments of the worker, without the program")
            List<String> args,

            @About("Memory") Memory memory,

            @About("The optimizer's state lies in host memory")
            boolean cpuAdam,

            @About("GPUs that train") int gpus,

            @About("Tokens a GPU takes in one micro-batch; 0 on cpu")
            int tokensPerGpu,

            @About("Pipeline stages, first to last") List<Stage> stages,

            @About("Environment variables of the worker") Map<String, String> environment) {
        public TrainingPlan {
            stages = stages == null ? List.of() : List.copyOf(stages);
            environment = environment == null ? Map.of() : Map.copyOf(environment);
        }

        /** Nodes that the worker spans; each needs an instance of its own. */
        public int nodes(int gpusPerNode) {
            return Math.max(1, Math.ceilDiv(gpus, Math.max(1, gpusPerNode)));
        }

        /** Ranks on each node of the worker, a GPU each; one where it has none. */
        public int ranksPerNode(int gpusPerNode) {
            return Math.max(1, Math.ceilDiv(gpus, nodes(gpusPerNode)));
        }

        /** One process without GPUs. */
        public TrainingPlan(TrainingLayout layout, List<String> args, Memory memory, boolean cpuAdam) {
            this(layout, args, memory, cpuAdam, 0, 0, List.of(), Map.of());
        }
    }

    @About("A pipeline stage")
    public record Stage(
            @About("Decoder layers") int layers,
            @About("GiB on a GPU of this stage") double gpuGiB) {}

    @About("A part of memory or time")
    public record Part(
            @About("What it is") String kind,
            @About("GiB or seconds, as the whole is") double amount) {}

    @About("Parallel layout of training")
    public record TrainingLayout(
            @About("Tensor parallel size") int tp,
            @About("Pipeline parallel size") int pp,
            @About("Context parallel size") int cp,
            @About("Expert parallel size") int ep,
            @About("Expert tensor parallel size") int etp,
            @About("Data parallel size") int dp) {}

    @About("Memory of training")
    public record Memory(
            @About("GiB on the fullest GPU; 0 on cpu") double gpuGiB,
            @About("GiB on a host") double hostGiBPerNode,

            @About("GiB on a GPU that a plan may use; 0 on cpu")
            double gpuLimitGiB,

            @About("Parts of the fullest GPU, GiB") List<Part> gpu,
            @About("Parts of a host, GiB") List<Part> host) {
        public Memory {
            gpu = gpu == null ? List.of() : List.copyOf(gpu);
            host = host == null ? List.of() : List.copyOf(host);
        }

        /** Without parts. */
        public Memory(double gpuGiB, double hostGiBPerNode) {
            this(gpuGiB, hostGiBPerNode, 0, List.of(), List.of());
        }
    }

    @About("The rollout side")
    public record RolloutPlan(
            @About("Engines in all") int engines,
            @About("Parallel layout of one engine") EngineLayout layout,

            @About("Arguments of an engine without program, model path, host and port")
            List<String> args,

            @About("Tokens the KV cache of a rank holds") long kvTokensPerRank,
            @About("Samples an engine runs at once") int maxRunningRequests,
            @About("GPUs of one engine; 0 on cpu") int gpusPerEngine,

            @About("Parts of a GPU of an engine, GiB") List<Part> memory,

            @About("Environment variables of the engines") Map<String, String> environment,

            @About("What to try, in order, when an engine runs out of memory at its start")
            List<Fallback> fallbacks) {
        public RolloutPlan {
            memory = memory == null ? List.of() : List.copyOf(memory);
            environment = environment == null ? Map.of() : Map.copyOf(environment);
            fallbacks = fallbacks == null ? List.of() : List.copyOf(fallbacks);
        }

        /** Engines without GPUs. */
        public RolloutPlan(
                int engines, EngineLayout layout, List<String> args, long kvTokensPerRank, int maxRunningRequests) {
            this(engines, layout, args, kvTokensPerRank, maxRunningRequests, 0, List.of(), Map.of(), List.of());
        }

        /** Nodes that one engine spans, as its arguments say; each needs an instance of its own. */
        public int nodesPerEngine() {
            int flag = args.lastIndexOf("--nnodes");
            return flag < 0 || flag + 1 == args.size() ? 1 : Math.max(1, Integer.parseInt(args.get(flag + 1)));
        }
    }

    @About("Other arguments for an engine that ran out of memory at its start")
    public record Fallback(
            @About("What is different") String because,
            @About("The whole list of arguments") List<String> args) {}

    @About("Parallel layout of an engine")
    public record EngineLayout(
            @About("Tensor parallel size") int tp,
            @About("Data parallel size of attention") int dp,
            @About("Expert parallel size") int ep,
            @About("Extra expert slots") int redundantExperts) {}

    @About("Predicted time of a step")
    public record Prediction(
            @About("Seconds a step") double stepSeconds,
            @About("Lower bound, seconds") double low,
            @About("Upper bound, seconds") double high,
            @About("Tokens generated and trained on a step") long tokensPerStep,

            @About("Parts, seconds; they overlap where rollout and training do")
            List<Part> parts) {
        public Prediction {
            parts = parts == null ? List.of() : List.copyOf(parts);
        }
    }

    @About("A choice of the planner")
    public record Choice(
            @About("What was decided") String decision,
            @About("The value") String value,
            @About("Why") String because,
            @About("The alternative and why not") @Nullable String rejected) {}

    @About("A layout that was not taken")
    public record Alternative(
            @About("The layout") String layout,
            @About("Predicted seconds a step") double stepSeconds,
            @About("GiB on the fullest training GPU") double gpuGiB,
            @About("Why it was not taken") String because) {}

    @About("Layouts that cannot run")
    public record Rejection(
            @About("What they have in common, such as TP 8") String family,
            @About("The rule that rejects them") String rule,
            @About("What breaks it, with the numbers") String message,

            @About("Layouts of this family that were looked at")
            int layouts) {}
}
