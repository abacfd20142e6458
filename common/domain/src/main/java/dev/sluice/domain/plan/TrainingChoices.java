package dev.sluice.domain.plan;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.memory.HostMemory;
import dev.sluice.domain.memory.LayerSums;
import dev.sluice.domain.memory.StageMemory;
import dev.sluice.domain.memory.TrainingMemory;
import dev.sluice.domain.search.Search.Outcome;
import dev.sluice.domain.search.SizedTraining;
import dev.sluice.events.Plan.Choice;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Says why training is laid out as it is, with the numbers that decided. */
record TrainingChoices(TrainingRequest request, Outcome outcome, SizedTraining training) {

    List<Choice> all() {
        List<Choice> choices = new ArrayList<>();
        choices.add(layout());
        if (training.memory().stages().size() > 1) {
            choices.add(stages());
        }
        choices.add(adam());
        choices.add(tokens());
        choices.add(recompute());
        choices.add(mtp());
        choices.add(reference());
        return choices;
    }

    private Choice layout() {
        TrainingRequest.Layout given = request.training().layout();
        boolean whole = given.tp() != null && given.pp() != null && given.cp() != null;
        String fits = text(
                "%.1f s of training a step are predicted, and it needs %.1f of the %.1f GiB of a GPU that may be used",
                training.time().seconds(), training.memory().gib(), limit());
        String rejected = outcome.others().isEmpty()
                ? null
                : outcome.others().getFirst().layout() + ": "
                        + against(outcome.others().getFirst(), training);
        return new Choice(
                "training.layout",
                "%s DP%d"
                        .formatted(
                                training.layout(),
                                training.layout().dp(candidate().cluster().trainGpus())),
                whole ? "the request says so; " + fits : fits,
                rejected);
    }

    /** Why another way was not taken. */
    static String against(SizedTraining other, SizedTraining chosen) {
        double difference = other.time().seconds() - chosen.time().seconds();
        if (difference > 0) {
            return text("%.1f s slower a step", difference);
        }
        return text("predicted %.1f s faster a step, which is a tie; ", -difference) + other.worseThan(chosen);
    }

    private Choice stages() {
        String split = training.memory().stages().stream()
                .map(stage -> Integer.toString(stage.layers()))
                .collect(Collectors.joining(" + "));
        int layers = candidate().model().layers();
        int pp = training.layout().pp();
        boolean even = layers % pp == 0;
        return new Choice(
                "training.layout.lastStageLayers",
                split,
                even
                        ? "%d layers divide evenly over %d stages".formatted(layers, pp)
                        : "%d layers do not divide over %d stages; the last one has the output layer to compute too"
                                .formatted(layers, pp),
                even ? null : "even stages: Megatron refuses them (M08)");
    }

    private Choice adam() {
        Optimizer optimizer = training.side().optimizer();
        double onGpu =
                gib(training.side().recompute(), Optimizer.GPU, training.side().tokensPerGpu());
        double precise = gib(
                training.side().recompute(),
                Optimizer.PRECISION_AWARE,
                training.side().tokensPerGpu());
        boolean given = request.training().layout().cpuAdam() != null;
        if (optimizer.offloadFraction() == 0) {
            double with = gib(
                    training.side().recompute(), Optimizer.CPU, training.side().tokensPerGpu());
            return new Choice(
                    "training.layout.cpuAdam",
                    "0",
                    (given ? "the request says so; " : "")
                            + text(
                                    "Adam's state fits the GPUs: %.1f of %.1f GiB",
                                    training.memory().gib(), limit()),
                    text("CPU Adam: needs %.1f GiB on a GPU, but each update passes through the host", with));
        }
        String without = onGpu > limit()
                ? text("without it training needs %.1f GiB on a GPU; %.1f may be used (H01)", onGpu, limit())
                : text(
                        "it leaves %.1f GiB of a GPU free",
                        onGpu - training.memory().gib());
        return new Choice(
                "training.layout.cpuAdam",
                text("%s", optimizer.offloadFraction() == 1 ? "1" : optimizer.offloadFraction()),
                (given ? "the request says so; " : "")
                        + without
                        + text(
                                "; each host needs %.0f GiB for all",
                                training.host().gib()),
                text("precision-aware Adam on the GPU: %.1f GiB", precise));
    }

    private Choice tokens() {
        int tokens = training.side().tokensPerGpu();
        int doubled = tokens * 2;
        double more = gib(training.side().recompute(), training.side().optimizer(), doubled);
        int longest = candidate().workload().longestSampleTokens();
        Integer samples = request.training().batching().microBatchSize();
        String because = request.training().layout().tokensPerGpu() != null
                ? "the request says so"
                : samples != null
                        ? "micro-batches of %d of the longest samples".formatted(samples)
                        : "the longest sample has %d tokens; larger micro-batches gain less than 10 %% or do not fit"
                                .formatted(longest);
        return new Choice(
                "training.layout.tokensPerGpu",
                Integer.toString(tokens),
                because,
                text("%d: needs %.1f GiB on a GPU", doubled, more));
    }

    private Choice recompute() {
        TrainingSide side = training.side();
        boolean full = side.recompute() == Recompute.FULL;
        double other = gib(full ? Recompute.NONE : Recompute.FULL, side.optimizer(), side.tokensPerGpu());
        boolean given = request.training().layout().recompute() != null;
        return new Choice(
                "training.layout.recompute",
                side.recompute().name().toLowerCase(Locale.ROOT),
                given
                        ? "the request says so"
                        : full && other > limit()
                                ? text(
                                        "without it activations need %.1f GiB on a GPU; %.1f may be used (H01)",
                                        other, limit())
                                : full
                                        ? "it leaves room for longer samples, as published recipes do"
                                        : "activations fit, and a quarter of the compute is saved",
                (full ? "none" : "full") + text(": needs %.1f GiB on a GPU", other));
    }

    private Choice mtp() {
        boolean trained = training.side().mtpTrained();
        boolean there = candidate().model().mtpLayers() > 0;
        return new Choice(
                "training.mtp",
                trained ? "trained" : there ? "frozen" : "absent",
                trained
                        ? "drafts keep up with the policy, so that more of them are accepted"
                        : there
                                ? "the request trains the decoder alone; the MTP layer is exported as it came"
                                : "config.json says num_nextn_predict_layers 0",
                null);
    }

    private Choice reference() {
        boolean loaded = candidate().workload().referenceModel();
        double copy = HostMemory.of(
                                candidate(),
                                training.memory(),
                                LayerSums.of(candidate().model()))
                        .copies()
                / (loaded ? 2 : 1)
                / StageMemory.GIB;
        return new Choice(
                "algorithm.klLossCoefficient",
                loaded ? "reference model loaded" : "no reference model",
                loaded
                        ? text("the KL loss needs its log-probabilities: %.0f GiB on a host and one more pass", copy)
                        : text("the coefficient is 0: %.0f GiB on a host and a forward pass are saved", copy),
                null);
    }

    private double gib(Recompute recompute, Optimizer optimizer, int tokens) {
        TrainingSide side = training.side().with(training.layout(), tokens, recompute, optimizer);
        return TrainingMemory.of(candidate().with(side)).gib();
    }

    private Candidate candidate() {
        return training.candidate();
    }

    private double limit() {
        return TrainingMemory.limitGiB(candidate());
    }

    private static String text(String format, @Nullable Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
