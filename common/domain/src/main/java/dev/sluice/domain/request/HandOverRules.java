package dev.sluice.domain.request;

import dev.sluice.domain.request.RequestRule.Findings;
import dev.sluice.events.Backend;
import dev.sluice.events.Problem;
import dev.sluice.events.Rollout.SpeculationAlgorithm;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.TrainingRequest.Transport;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Rules about GPUs that engines and training take turns on, and about weights that go from memory to memory. */
public final class HandOverRules {
    static final List<RequestRule> ALL = List.of(
            new RequestRule(
                    "weights.direct", "weights leave a worker's memory for engines on GPUs", HandOverRules::gpus),
            new RequestRule("weights.steps", "a worker holds the newest version", HandOverRules::everyStep),
            new RequestRule("weights.draft", "what is trained reaches the engines", HandOverRules::draft),
            new RequestRule("cluster.hand-over", "placement and transport fit each other", HandOverRules::placement));

    /** What SGLang 0.5.15 to 0.5.18 do, whatever their change log says: sgl-project/sglang#27718, #27749. */
    public static final String DRAFT_STAYS =
            "SGLang takes weights over nccl into the model alone, not into its draft: the trained MTP layer would not reach the engines";

    public static final String DRAFT_MEND =
            "set it to disk or auto, training.mtp.train to false, or rollout.speculation.algorithm to none";

    /** Why a transport without files needs each step published. */
    public static final String LATE_ENGINE =
            "without files an engine that starts between two publications is given what the worker holds, which is the newest version only if every step is published";

    private HandOverRules() {}

    /** Whether engines and training have work for the same GPUs at all. */
    public static boolean takesTurns(TrainingRequest request) {
        return RunKind.of(request) == RunKind.REINFORCEMENT;
    }

    /**
     * What speaks against taking turns, or against not doing so.
     *
     * @param colocated whether they do, which the planner decides where the request leaves it open
     */
    public static List<Problem> problems(TrainingRequest request, boolean colocated) {
        Findings findings = new Findings("cluster.hand-over", Facts.Purpose.RUN, new ArrayList<>());
        if (takesTurns(request)) {
            transport(request, colocated, findings);
            if (colocated) {
                turns(request, findings);
            }
        }
        return findings.problems();
    }

    private static void placement(TrainingRequest request, Facts facts, Findings findings) {
        Placement placement = request.cluster().placement();
        if (placement != Placement.AUTO || request.backend() == Backend.CPU) {
            findings.problems().addAll(problems(request, placement == Placement.COLOCATED));
        }
    }

    private static void transport(TrainingRequest request, boolean colocated, Findings findings) {
        Transport transport = request.weights().transport();
        if (transport == Transport.TENSOR && !colocated) {
            findings.error(
                    "weights.transport",
                    "tensor hands over handles of GPU memory, which only a process on the same GPU can open, but engines have GPUs of their own",
                    "set it to nccl, auto or disk, or cluster.placement to colocated");
        }
        if (transport == Transport.NCCL && colocated) {
            findings.error(
                    "weights.transport",
                    "nccl takes a GPU for each rank of its group, but engines and training are on the same GPUs",
                    "set it to tensor, auto or disk, or cluster.placement to disaggregated");
        }
        if (transport == Transport.DISK_DELTA && colocated) {
            findings.error(
                    "weights.transport",
                    "a delta changes the weights that an engine holds, but a colocated one has given its memory to training",
                    "set it to tensor, auto or disk, or cluster.placement to disaggregated");
        }
    }

    private static void turns(TrainingRequest request, Findings findings) {
        if (request.rollout().maxPolicyLag() > 0) {
            findings.error(
                    "rollout.maxPolicyLag",
                    "colocated engines and training take turns: a step's samples are complete before it trains and none is sampled ahead, so that nothing may lag by %d"
                            .formatted(request.rollout().maxPolicyLag()),
                    "set it to 0, or cluster.placement to disaggregated");
        }
        int most = request.rollout().maxEngines();
        if (most > 0) {
            findings.error(
                    "rollout.maxEngines",
                    "colocated engines lie where training does, so that instances elsewhere can add none (up to %d)"
                            .formatted(most),
                    "leave it out, or set cluster.placement to disaggregated");
        }
    }

    private static void gpus(TrainingRequest request, Facts facts, Findings findings) {
        if (request.backend() == Backend.CPU && request.weights().transport().direct()) {
            findings.error(
                    "weights.transport",
                    "%s moves weights between the memory of GPUs, and the cpu backend has none"
                            .formatted(name(request)),
                    "set it to auto or disk, or backend to gpu");
        }
    }

    private static void everyStep(TrainingRequest request, Facts facts, Findings findings) {
        int steps = request.weights().everySteps();
        if (steps > 1 && request.weights().transport().direct()) {
            findings.error("weights.everySteps", LATE_ENGINE, "set it to 1, or weights.transport to disk");
        }
    }

    private static void draft(TrainingRequest request, Facts facts, Findings findings) {
        if (request.weights().transport() == Transport.NCCL
                && request.training().mtp().train()
                && request.rollout().speculation().algorithm() == SpeculationAlgorithm.EAGLE) {
            findings.error("weights.transport", DRAFT_STAYS, DRAFT_MEND);
        }
    }

    private static String name(TrainingRequest request) {
        return request.weights().transport().name().toLowerCase(Locale.ROOT);
    }
}
