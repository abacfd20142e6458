package dev.sluice.events;

import java.util.List;
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
        List<Problem> warnings) {

    @About("Figures of the model")
    public record ModelFigures(
            @About("config.json's model_type") String modelType,

            @About("Parameters in all, without the MTP layer")
            long totalParameters,

            @About("Parameters a token passes through") long activeParameters,
            @About("Parameters of the MTP layer") long mtpParameters,
            @About("Longest sequence, tokens") int maxContextTokens) {}

    @About("The training side")
    public record TrainingPlan(
            @About("Parallel layout") TrainingLayout layout,

            @About("Arguments of the worker, without the program")
            List<String> args,

            @About("Memory") Memory memory,

            @About("The optimizer's state lies in host memory")
            boolean cpuAdam) {}

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
            @About("GiB on a host") double hostGiBPerNode) {}

    @About("The rollout side")
    public record RolloutPlan(
            @About("Engines in all") int engines,
            @About("Parallel layout of one engine") EngineLayout layout,

            @About("Arguments of an engine without program, model path, host and port")
            List<String> args,

            @About("Tokens the KV cache of a rank holds") long kvTokensPerRank,
            @About("Samples an engine runs at once") int maxRunningRequests) {}

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
            @About("Upper bound, seconds") double high) {}

    @About("A choice of the planner")
    public record Choice(
            @About("What was decided") String decision,
            @About("The value") String value,
            @About("Why") String because,
            @About("The alternative and why not") @Nullable String rejected) {}
}
