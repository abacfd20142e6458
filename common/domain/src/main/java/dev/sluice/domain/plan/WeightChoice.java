package dev.sluice.domain.plan;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.request.HandOverRules;
import dev.sluice.events.Plan.Choice;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Transport;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How new weights reach engines on GPUs, and why: from memory to memory where nothing forbids it. With more than one
 * data-parallel rank SGLang does so only where attention is split by data, which engines of a plan always have.
 */
record WeightChoice(TrainingRequest request, Candidate candidate) {
    private static final String DECISION = "weights.transport";

    private record Objection(String message, String mend) {}

    Transport transport() {
        Transport asked = request.weights().transport();
        if (asked != Transport.AUTO) {
            return asked;
        }
        return HandOverRules.takesTurns(request) && objection(direct()).isEmpty() ? direct() : Transport.DISK;
    }

    Choice choice() {
        Transport chosen = transport();
        if (request.weights().transport() != Transport.AUTO) {
            return choice(chosen, "the request says so", null);
        }
        if (!HandOverRules.takesTurns(request)) {
            return choice(chosen, "no weights are sent", null);
        }
        return objection(direct())
                .map(against -> choice(
                        chosen,
                        "files reach every engine, also one that starts later",
                        name(direct()) + ": " + against.message()))
                .orElseGet(() -> choice(
                        chosen,
                        colocated()
                                ? "engines open the worker's memory on the GPUs that they share, and nothing is written"
                                : "the worker sends from GPU to GPU, and nothing is written",
                        "disk: the whole model is written and read again each step"));
    }

    /** What forbids the transport that the request names. */
    List<Problem> problems() {
        Transport asked = request.weights().transport();
        return asked.direct() && HandOverRules.takesTurns(request)
                ? objection(asked).stream()
                        .map(against -> Problem.error(DECISION, DECISION, against.message(), against.mend()))
                        .toList()
                : List.of();
    }

    private Optional<Objection> objection(Transport direct) {
        EngineSide engine = Objects.requireNonNull(candidate.engine(), "a run that takes turns samples");
        if (request.weights().everySteps() > 1) {
            return Optional.of(
                    new Objection(HandOverRules.LATE_ENGINE, "set weights.everySteps to 1, or this to disk"));
        }
        boolean draftTrained =
                request.training().mtp().train() && engine.speculation().on();
        if (direct == Transport.NCCL && draftTrained) {
            return Optional.of(new Objection(HandOverRules.DRAFT_STAYS, HandOverRules.DRAFT_MEND));
        }
        if (engine.pp() > 1) {
            return Optional.of(new Objection(
                    "SGLang numbers an engine's ranks by tensor parallelism alone, so that its %d pipeline stages would be taken for one another"
                            .formatted(engine.pp()),
                    "set it to disk, or rollout.layout.pp to 1"));
        }
        return direct == Transport.TENSOR ? ranksApart(engine) : Optional.empty();
    }

    /** Each engine is given the handles of as many ranks as it has GPUs, in their order. */
    private Optional<Objection> ranksApart(EngineSide engine) {
        Cluster cluster = candidate.cluster();
        int ranks = Math.ceilDiv(cluster.trainGpus(), Math.max(1, cluster.trainNodes()));
        int nodes = Math.max(1, Math.ceilDiv(engine.gpus(), cluster.gpusPerNode()));
        int gpus = Math.max(1, Math.ceilDiv(engine.gpus(), nodes));
        return ranks % gpus == 0
                ? Optional.empty()
                : Optional.of(new Objection(
                        "engines with %d GPUs of a node do not fill the %d that train there, so that their GPUs are not those of the worker's ranks in order"
                                .formatted(gpus, ranks),
                        "set it to disk, or rollout.layout.gpusPerEngine to a divisor of %d".formatted(ranks)));
    }

    private Transport direct() {
        return colocated() ? Transport.TENSOR : Transport.NCCL;
    }

    private boolean colocated() {
        return candidate.cluster().colocated();
    }

    private static Choice choice(Transport transport, String because, @Nullable String rejected) {
        return new Choice(DECISION, name(transport), because, rejected);
    }

    private static String name(Transport transport) {
        return transport.name().toLowerCase(Locale.ROOT);
    }
}
