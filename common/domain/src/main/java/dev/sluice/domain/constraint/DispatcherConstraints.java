package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Dispatcher;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How tokens reach experts and how experts are computed. */
final class DispatcherConstraints {
    private static final int AMPERE = 80;
    private static final int HOPPER = 90;

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "M30",
                    Severity.FIX,
                    "training.layout.dispatcher",
                    "batches of varying length need the all-to-all or the flex dispatcher",
                    "Megatron transformer_config; slime backends/megatron_utils/arguments.py",
                    DispatcherConstraints::varyingLengths),
            new Constraint(
                    "M31",
                    Severity.ERROR,
                    "training.layout.dispatcher",
                    "DeepEP needs the flex dispatcher, Hopper or newer, and experts without padding to capacity",
                    "Megatron transformer_config; verl docs perf/dpsk.md",
                    DispatcherConstraints::deepEp),
            new Constraint(
                    "M32",
                    Severity.ERROR,
                    "training.layout.dispatcher",
                    "the flex dispatcher has more than one rank to send to",
                    "planner; Megatron token_dispatcher",
                    DispatcherConstraints::flexAlone),
            new Constraint(
                    "M33",
                    Severity.ERROR,
                    "cluster.gpu",
                    "grouped products of experts need Ampere or newer, and bf16 before Megatron 0.17",
                    "Megatron arguments.py validate_args",
                    DispatcherConstraints::groupedGemm),
            new Constraint(
                    "M34",
                    Severity.ERROR,
                    "training.megatron",
                    "the shared expert overlaps with the all-to-all dispatcher, from Megatron 0.18 on with flex too",
                    "Megatron transformer_config",
                    DispatcherConstraints::sharedOverlap),
            new Constraint(
                    "M35",
                    Severity.ERROR,
                    "training.megatron",
                    "overlapped expert communication needs EP, a schedule to hide it in and no full recomputation",
                    "Megatron transformer_config",
                    DispatcherConstraints::communicationOverlap));

    private DispatcherConstraints() {}

    private static boolean dense(Candidate candidate) {
        return candidate.model().experts() == null;
    }

    private static @Nullable Breach varyingLengths(Candidate candidate) {
        if (dense(candidate) || candidate.training().dispatcher() != Dispatcher.ALLGATHER) {
            return null;
        }
        return new Breach(
                "the all-gather dispatcher needs sequences of one length, but batches are packed from samples as they are",
                "nothing to do: alltoall is used instead, as slime itself does");
    }

    private static @Nullable Breach deepEp(Candidate candidate) {
        TrainingSide training = candidate.training();
        if (dense(candidate) || !training.deepEp()) {
            return null;
        }
        if (training.dispatcher() != Dispatcher.FLEX) {
            return new Breach(
                    "DeepEP is asked for, but the dispatcher is %s"
                            .formatted(training.dispatcher().name().toLowerCase(Locale.ROOT)),
                    "set training.layout.dispatcher to flex (--moe-token-dispatcher-type flex)");
        }
        if (candidate.cluster().gpu().computeCapability() < HOPPER) {
            return new Breach(
                    "DeepEP needs compute capability 9.0, Hopper or newer; %s has %.1f"
                            .formatted(
                                    candidate.cluster().gpu().label(),
                                    candidate.cluster().gpu().computeCapability() / 10.0),
                    "set training.layout.dispatcher to alltoall");
        }
        return Given.has(candidate, "--moe-pad-expert-input-to-capacity")
                ? new Breach(
                        "DeepEP does not pad what an expert gets to its capacity",
                        "remove --moe-pad-expert-input-to-capacity, or set training.layout.dispatcher to alltoall")
                : null;
    }

    private static @Nullable Breach flexAlone(Candidate candidate) {
        Layout layout = candidate.training().layout();
        if (dense(candidate)
                || candidate.training().dispatcher() != Dispatcher.FLEX
                || (long) layout.etp() * layout.ep() > 1) {
            return null;
        }
        return new Breach(
                "the flex dispatcher sends tokens between ranks, but all experts lie on one: EP %d, ETP %d"
                        .formatted(layout.ep(), layout.etp()),
                "set training.layout.dispatcher to alltoall, or training.layout.ep above 1");
    }

    private static @Nullable Breach groupedGemm(Candidate candidate) {
        boolean grouped = !Given.script(candidate) || Given.has(candidate, "--moe-grouped-gemm");
        if (dense(candidate) || !grouped) {
            return null;
        }
        int capability = candidate.cluster().gpu().computeCapability();
        if (capability < AMPERE) {
            return new Breach(
                    "--moe-grouped-gemm needs compute capability 8.0, Ampere or newer; %s has %.1f"
                            .formatted(candidate.cluster().gpu().label(), capability / 10.0),
                    "use GPUs of the Ampere generation or newer");
        }
        boolean half = Given.has(candidate, "--fp16")
                && !candidate.installed().megatron().atLeast("0.17");
        return half
                ? new Breach(
                        "--moe-grouped-gemm computes in bf16 only in Megatron %s, but --fp16 is given"
                                .formatted(candidate.installed().megatron()),
                        "remove --fp16, or install Megatron 0.17")
                : null;
    }

    private static @Nullable Breach sharedOverlap(Candidate candidate) {
        // M30 turns all-gather into all-to-all before this matters.
        if (dense(candidate)
                || !Given.has(candidate, "--moe-shared-expert-overlap")
                || candidate.training().dispatcher() != Dispatcher.FLEX
                || candidate.installed().megatron().atLeast("0.18")) {
            return null;
        }
        return new Breach(
                "the shared expert overlaps with the alltoall dispatcher only in Megatron %s, but the dispatcher is flex"
                        .formatted(candidate.installed().megatron()),
                "remove --moe-shared-expert-overlap, or set training.layout.dispatcher to alltoall");
    }

    private static @Nullable Breach communicationOverlap(Candidate candidate) {
        if (!Given.has(candidate, "--overlap-moe-expert-parallel-comm")) {
            return null;
        }
        String why = noOverlap(candidate);
        return why == null
                ? null
                : new Breach(
                        "expert communication cannot overlap with computation: " + why,
                        "remove --overlap-moe-expert-parallel-comm");
    }

    private static @Nullable String noOverlap(Candidate candidate) {
        TrainingSide training = candidate.training();
        int pp = training.layout().pp();
        int mtp = Given.count(candidate, "--mtp-num-layers", training.mtpTrained() ? 1 : 0);
        if (dense(candidate) || training.layout().ep() <= 1) {
            return "EP is %d".formatted(training.layout().ep());
        }
        if (pp > 1 && Stages.virtual(candidate) == 1 && !Given.has(candidate, Stages.LAYOUT)) {
            return "PP is %d without virtual stages".formatted(pp);
        }
        if (training.recompute() == Recompute.FULL) {
            return "all activations are recomputed";
        }
        if (Given.has(candidate, "--moe-shared-expert-overlap")) {
            return "--moe-shared-expert-overlap hides the same time";
        }
        return mtp > 1 ? "%d MTP layers are trained, at most 1 may be".formatted(mtp) : null;
    }
}
