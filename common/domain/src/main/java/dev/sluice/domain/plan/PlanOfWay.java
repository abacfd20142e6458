package dev.sluice.domain.plan;

import dev.sluice.domain.arguments.Environments;
import dev.sluice.domain.arguments.Fallbacks;
import dev.sluice.domain.arguments.MegatronArguments;
import dev.sluice.domain.arguments.SglangArguments;
import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.cost.RolloutTime;
import dev.sluice.domain.cost.StepTime;
import dev.sluice.domain.memory.EngineMemory;
import dev.sluice.domain.memory.HostMemory;
import dev.sluice.domain.memory.StageMemory;
import dev.sluice.domain.memory.TrainingMemory;
import dev.sluice.domain.model.Parameters;
import dev.sluice.domain.request.HandOverRules;
import dev.sluice.domain.search.Search.Outcome;
import dev.sluice.domain.search.SizedEngine;
import dev.sluice.domain.search.SizedTraining;
import dev.sluice.domain.search.Way;
import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.Plan.Alternative;
import dev.sluice.events.Plan.Choice;
import dev.sluice.events.Plan.EngineLayout;
import dev.sluice.events.Plan.Fallback;
import dev.sluice.events.Plan.Memory;
import dev.sluice.events.Plan.Part;
import dev.sluice.events.Plan.Prediction;
import dev.sluice.events.Plan.RolloutPlan;
import dev.sluice.events.Plan.Stage;
import dev.sluice.events.Plan.TrainingLayout;
import dev.sluice.events.Plan.TrainingPlan;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Placement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** Writes down the way that a search found, as the plan that services start from. */
record PlanOfWay(TrainingRequest request, Outcome outcome) {

    Plan plan(List<Problem> warnings) {
        Way way = Objects.requireNonNull(outcome.best(), "a plan is written for what can run");
        SizedEngine engine = Objects.requireNonNull(way.engine(), "a request samples");
        List<Choice> choices = new ArrayList<>();
        choices.addAll(new PoolChoices(request, outcome, way).all());
        choices.addAll(new TrainingChoices(request, outcome, way.training()).all());
        choices.addAll(new EngineChoices(request, outcome, way, engine).all());
        WeightChoice weights = new WeightChoice(request, way.candidate());
        choices.add(weights.choice());
        return new Plan(
                Backend.GPU,
                new Parameters(way.candidate().model()).figures(),
                training(way.candidate(), way.training()),
                rollout(way.candidate(), engine),
                prediction(way),
                choices,
                warnings,
                alternatives(way.training()),
                outcome.rejections(),
                placement(way.candidate()),
                weights.transport());
    }

    /** Where nothing is trained, engines have the GPUs for themselves whatever the request says. */
    private Placement placement(Candidate candidate) {
        return candidate.cluster().colocated() && HandOverRules.takesTurns(request)
                ? Placement.COLOCATED
                : Placement.DISAGGREGATED;
    }

    private TrainingPlan training(Candidate candidate, SizedTraining training) {
        Layout layout = training.layout();
        int gpus = candidate.cluster().trainGpus();
        return new TrainingPlan(
                new TrainingLayout(layout.tp(), layout.pp(), layout.cp(), layout.ep(), layout.etp(), layout.dp(gpus)),
                MegatronArguments.of(candidate, request.training()).toArguments(),
                memory(training),
                training.side().optimizer().offloadFraction() > 0,
                gpus,
                training.side().tokensPerGpu(),
                training.memory().stages().stream()
                        .map(stage -> new Stage(stage.layers(), rounded(stage.gib())))
                        .toList(),
                Environments.training(candidate, request.cluster().environment()));
    }

    private static Memory memory(SizedTraining training) {
        StageMemory fullest = training.memory().fullest();
        HostMemory host = training.host();
        return new Memory(
                rounded(fullest.gib()),
                rounded(host.gib()),
                rounded(TrainingMemory.limitGiB(training.candidate())),
                Stream.of(
                                part("weights", fullest.weights()),
                                part("gradients", fullest.gradients()),
                                part("optimizer", fullest.optimizer()),
                                part("activations", fullest.checkpoints()),
                                fullest.logits() > fullest.workingSet()
                                        ? part("logits", fullest.logits())
                                        : part("layer in work", fullest.workingSet()),
                                part("CUDA and NCCL", fullest.fixed()))
                        .filter(part -> part.amount() > 0)
                        .toList(),
                Stream.of(
                                part("Adam", host.adam()),
                                part("weight copies", host.copies()),
                                part("processes", host.processes()))
                        .filter(part -> part.amount() > 0)
                        .toList());
    }

    private RolloutPlan rollout(Candidate candidate, SizedEngine sized) {
        EngineSide engine = sized.engine();
        // Only what the trainer holds prompts to is a bound: from a file's bytes their tokens are estimated, and a chat
        // template adds to them. An engine refuses every sample above this one.
        int context = request.data().maxPromptTokens() > 0
                ? candidate.workload().contextTokens() + engine.speculation().reservedTokens()
                : 0;
        Flags derived = SglangArguments.of(candidate, context, request.data().seed());
        // Otherwise every frame repeats the whole sample. Before 0.5.10 SGLang has no other way.
        boolean newOnly =
                request.rollout().streams() && candidate.installed().sglang().atLeast("0.5.10");
        Flags flags = newOnly ? derived.with("--incremental-streaming-output") : derived;
        return new RolloutPlan(
                candidate.engines(),
                new EngineLayout(engine.tp(), engine.dp(), engine.ep(), engine.redundantExperts()),
                flags.toArguments(),
                sized.memory().cacheTokens(),
                engine.maxRunningRequests(),
                engine.gpus(),
                engineParts(candidate, sized),
                Environments.engine(candidate, request.cluster().environment()),
                Fallbacks.of(candidate, flags).stream()
                        .map(fallback -> new Fallback(
                                fallback.because(), fallback.flags().toArguments()))
                        .toList());
    }

    private static List<Part> engineParts(Candidate candidate, SizedEngine sized) {
        EngineMemory memory = sized.memory();
        double cache = memory.cacheTokens() * memory.cacheBytesPerToken();
        double usable = candidate.cluster().gpu().usableGiB() * StageMemory.GIB;
        double taken = memory.weights() + cache + memory.draftWeights() + memory.draftCache() + memory.residue();
        return Stream.of(
                        part("weights", memory.weights()),
                        part("KV cache", cache),
                        part("draft", memory.draftWeights() + memory.draftCache()),
                        part(candidate.cluster().colocated() ? "trainer's residue" : "CUDA", memory.residue()),
                        part("graphs and activations", usable - taken))
                .filter(part -> part.amount() > 0)
                .toList();
    }

    private static Prediction prediction(Way way) {
        StepTime time = way.time();
        double tokens = way.candidate().workload().samplesPerStep()
                * RolloutTime.meanTokens(way.candidate().workload());
        return new Prediction(
                rounded(time.seconds()),
                rounded(time.low()),
                rounded(time.high()),
                Math.round(tokens),
                Stream.of(
                                new Part("rollout", rounded(time.rollout())),
                                new Part("training", rounded(time.training())),
                                new Part("weights", rounded(time.sync())),
                                new Part("hand-over", rounded(time.handOver())))
                        .filter(part -> part.amount() > 0)
                        .toList());
    }

    private List<Alternative> alternatives(SizedTraining chosen) {
        return outcome.others().stream()
                .map(other -> new Alternative(
                        "%s, %d tokens a GPU, %s"
                                .formatted(
                                        other.layout(),
                                        other.side().tokensPerGpu(),
                                        Adam.of(other.side().optimizer())),
                        rounded(seconds(other)),
                        rounded(other.memory().gib()),
                        TrainingChoices.against(other, chosen)))
                .toList();
    }

    /** A step with this training in place of the chosen one. */
    private double seconds(SizedTraining other) {
        StepTime time = Objects.requireNonNull(outcome.best()).time();
        return new StepTime(time.rollout(), other.time().seconds(), time.sync(), time.handOver(), time.overlapped())
                .seconds();
    }

    private static Part part(String kind, double bytes) {
        return new Part(kind, rounded(bytes / StageMemory.GIB));
    }

    /** A tenth is more than the model knows. */
    static double rounded(double value) {
        return Math.round(value * 10) / 10.0;
    }
}
