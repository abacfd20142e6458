package dev.sluice.domain.plan;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.memory.EngineMemory;
import dev.sluice.domain.search.Search.Outcome;
import dev.sluice.domain.search.SizedEngine;
import dev.sluice.domain.search.Way;
import dev.sluice.events.Plan.Choice;
import dev.sluice.events.Rollout.SpeculationAlgorithm;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Says why engines are laid out as they are, with the numbers that decided. */
record EngineChoices(TrainingRequest request, Outcome outcome, Way way, SizedEngine sized) {

    List<Choice> all() {
        List<Choice> choices = new ArrayList<>();
        choices.add(size());
        choices.add(attention());
        if (way.candidate().model().experts() != null) {
            choices.add(experts());
        }
        choices.add(fraction());
        choices.add(batches());
        choices.add(speculation());
        return choices;
    }

    private Choice size() {
        Candidate candidate = way.candidate();
        boolean given = request.rollout().layout().gpusPerEngine() != null
                || request.rollout().engines() > 0;
        SizedEngine other =
                outcome.otherEngines().isEmpty() ? null : outcome.otherEngines().getFirst();
        return new Choice(
                "rollout.layout.gpusPerEngine",
                "%d engine%s of %d GPUs"
                        .formatted(candidate.engines(), candidate.engines() == 1 ? "" : "s", engine().gpus()),
                (given ? "the request says so; " : "")
                        + text(
                                "%.1f s of sampling a step are predicted",
                                sized.time().seconds()),
                other == null ? null : other + text(": %.1f s", other.time().seconds()));
    }

    private Choice attention() {
        EngineSide engine = engine();
        boolean latent = way.candidate().model().latent();
        String because = engine.dpAttention()
                ? latent
                        ? "each of %d ranks caches its own samples; tensor parallelism would copy MLA's latent to every GPU"
                                .formatted(engine.dp())
                        : "each of %d ranks caches its own samples".formatted(engine.dp())
                : "attention is split over %d GPUs by its heads".formatted(engine.attentionTp());
        return new Choice(
                "rollout.layout.dp",
                Integer.toString(engine.dp()),
                because
                        + "; a rank's KV cache holds %,d tokens"
                                .formatted(sized.memory().cacheTokens()),
                null);
    }

    private Choice experts() {
        EngineSide engine = engine();
        int experts = way.candidate().model().expertCount();
        int redundant = engine.redundantExperts();
        int slots = experts + redundant;
        return new Choice(
                "rollout.layout.ep",
                Integer.toString(engine.ep()),
                redundant > 0
                        ? "%d GPUs do not divide %d experts: %d extra copies make %d slots, %d on each GPU"
                                .formatted(engine.ep(), experts, redundant, slots, slots / engine.ep())
                        : engine.ep() > 1
                                ? "%d experts lie whole on each GPU".formatted(slots / engine.ep())
                                : "every expert is split over the engine's GPUs, so that none waits for a full one",
                null);
    }

    private Choice fraction() {
        double most = EngineMemory.largestFraction(way.candidate(), engine());
        boolean given = request.rollout().layout().memFractionStatic() != null;
        return new Choice(
                "rollout.layout.memFractionStatic",
                Double.toString(engine().memFractionStatic()),
                given
                        ? "the request says so"
                        : way.candidate().cluster().colocated()
                                ? "the trainer's residue and the draft lie beside it"
                                : "graphs, activations and the draft need the rest",
                text("above %.3f: SGLang's own reserve does not leave room for graphs and activations (H05)", most));
    }

    private Choice batches() {
        EngineSide engine = engine();
        int samples = Math.ceilDiv(
                way.candidate().workload().samplesPerStep(),
                Math.max(1, way.candidate().engines()));
        return new Choice(
                "rollout.layout.maxRunningRequests",
                "%d, graphs up to %d a rank".formatted(engine.maxRunningRequests(), engine.cudaGraphMaxBatch()),
                "an engine gets %d samples a step".formatted(samples),
                engine.speculation().on() ? "SGLang's default with speculation: 48 in all (S21)" : null);
    }

    private Choice speculation() {
        Speculation speculation = engine().speculation();
        SpeculationAlgorithm asked = request.rollout().speculation().algorithm();
        String acceptance =
                text("%.0f %% acceptance", request.rollout().speculation().acceptance() * 100);
        if (speculation.on()) {
            String draft = text(
                    "%.1f times as fast at a full engine's batch with %s is predicted",
                    sized.speculationGain(), acceptance);
            return new Choice(
                    "rollout.speculation",
                    "EAGLE, %d steps, %d draft tokens".formatted(speculation.steps(), speculation.draftTokens()),
                    asked == SpeculationAlgorithm.EAGLE ? "the request says so; " + draft : draft,
                    "none");
        }
        return new Choice(
                "rollout.speculation",
                "none",
                asked == SpeculationAlgorithm.NONE
                        ? "the request says so"
                        : way.candidate().model().mtpLayers() == 0
                                ? "the model has no MTP layer to draft with"
                                : "at a full engine's batch EAGLE is not predicted to gain 5 % with " + acceptance,
                null);
    }

    private EngineSide engine() {
        return sized.engine();
    }

    private static String text(String format, @Nullable Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
