package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.EngineCheck.engine;
import static dev.sluice.domain.constraint.EngineCheck.ranks;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.model.ModelSpec.Experts;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How an engine's GPUs share a model's experts. */
final class EngineExpertConstraints {
    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "S06",
                    Severity.ERROR,
                    "rollout.redundantExperts",
                    "expert slots (experts and redundant ones) divide over the expert-parallel ranks",
                    "SGLang expert_location.py _init_common, fused_moe_triton/layer.py",
                    ranks(EngineExpertConstraints::slots)),
            new Constraint(
                    "S07",
                    Severity.ERROR,
                    "rollout.layout.ep",
                    "tp is a multiple of ep, and an expert's width of the GPUs that share it (tp / ep)",
                    "SGLang fused_moe_triton/layer.py",
                    ranks(EngineExpertConstraints::width)),
            new Constraint(
                    "S08",
                    Severity.ERROR,
                    "rollout.layout.gpusPerEngine",
                    "tp is at most the number of routed experts",
                    "SGLang models/glm4_moe_lite.py, models/deepseek_v2.py",
                    ranks(EngineExpertConstraints::count)),
            new Constraint(
                    "S09",
                    Severity.FIX,
                    "rollout.layout.ep",
                    "with an all-to-all backend that spans the engine ep is tp",
                    "SGLang arg_groups/overrides.py _a2a_ep_size",
                    ranks(EngineExpertConstraints::forcedSize)),
            new Constraint(
                    "S10",
                    Severity.ERROR,
                    "rollout.redundantExperts",
                    "redundant experts come with an all-to-all backend and a dispatch algorithm",
                    "SGLang expert_location_dispatch.py; models/glm4_moe_lite.py forward_normal",
                    ranks(EngineExpertConstraints::dispatch)),
            new Constraint(
                    "S11",
                    Severity.ERROR,
                    "rollout.sglang.enable-eplb",
                    "balancing of experts comes with ep above 1",
                    "SGLang server_args.py _handle_eplb_and_dispatch",
                    ranks(EngineExpertConstraints::balancing)),
            new Constraint(
                    "S12",
                    Severity.ERROR,
                    "rollout.sglang.moe-dense-tp-size",
                    "dense blocks of an expert model are split over one GPU or, from SGLang 0.5.13, over all of tp",
                    "SGLang server_args.py check_server_args",
                    ranks(EngineExpertConstraints::denseBlocks)));

    private EngineExpertConstraints() {}

    private static @Nullable Breach slots(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        Experts experts = candidate.model().experts();
        if (experts == null || !ranks.expertsSplit()) {
            return null;
        }
        int redundant = engine.redundantExperts();
        int slots = experts.count() + redundant;
        if (redundant >= 0 && slots % ranks.ep() == 0) {
            return null;
        }
        int least = EngineSizes.leastRedundant(experts.count(), ranks.ep());
        return new Breach(
                "%d expert slots (%d experts + %d redundant) do not divide over %d expert-parallel ranks"
                        .formatted(slots, experts.count(), redundant, ranks.ep()),
                "set rollout.redundantExperts to %d (%d slots, %d per GPU) [--ep-num-redundant-experts]%s"
                        .formatted(
                                least,
                                experts.count() + least,
                                (experts.count() + least) / ranks.ep(),
                                least == 0
                                        ? ""
                                        : EngineSizes.orSmallerEngines(candidate, engine.gpus(), experts.count())));
    }

    private static @Nullable Breach width(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        Experts experts = candidate.model().experts();
        if (experts == null || (ranks.expertsSplit() && experts.size() % ranks.expertTp() == 0)) {
            return null;
        }
        List<Integer> legal = EngineSizes.ep(experts, Math.max(0, engine.redundantExperts()), ranks.tp());
        String mend = legal.isEmpty()
                ? "set rollout.layout.ep to %d [--ep-size]".formatted(ranks.tp())
                : "set rollout.layout.ep to %s [--ep-size]".formatted(EngineSizes.either(legal));
        if (!ranks.expertsSplit()) {
            return new Breach("tp %d is not a multiple of ep %d".formatted(ranks.tp(), ranks.ep()), mend);
        }
        return new Breach(
                "experts of width %d cannot be split over %d GPUs (tp %d / ep %d)"
                        .formatted(experts.size(), ranks.expertTp(), ranks.tp(), ranks.ep()),
                mend);
    }

    private static @Nullable Breach count(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        Experts experts = candidate.model().experts();
        if (experts == null || ranks.tp() <= experts.count()) {
            return null;
        }
        return new Breach(
                "tp %d exceeds the %d experts".formatted(ranks.tp(), experts.count()),
                "set rollout.layout.gpusPerEngine to at most %d"
                        .formatted((long) experts.count() * Math.max(1, engine.pp())));
    }

    private static @Nullable Breach forcedSize(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        if (candidate.model().experts() == null || ranks.ep() == engine.ep()) {
            return null;
        }
        return new Breach(
                "with %s SGLang takes ep %d for tp %d, not %d"
                        .formatted(engine.a2aBackend(), ranks.ep(), ranks.tp(), engine.ep()),
                "set rollout.layout.ep to %d, or leave it out [--ep-size]; the plan writes %d"
                        .formatted(ranks.ep(), ranks.ep()));
    }

    private static @Nullable Breach dispatch(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        Experts experts = candidate.model().experts();
        boolean spread = engine.dispatchAlgorithm() != null
                || engine.expertBalancing()
                // Any placement but the plain one makes SGLang dispatch statically.
                || !engine.flags().text("--init-expert-location", "trivial").equals("trivial");
        if (experts == null || engine.redundantExperts() <= 0 || (engine.allToAll() && spread)) {
            return null;
        }
        String lacks = engine.allToAll()
                ? "no dispatch algorithm is set"
                : spread ? "no all-to-all backend is set" : "neither all-to-all backend nor dispatch algorithm is set";
        String without = !ranks.expertsSplit() || EngineSizes.leastRedundant(experts.count(), ranks.ep()) == 0
                ? ", or rollout.redundantExperts to 0"
                : EngineSizes.orSmallerEngines(candidate, engine.gpus(), experts.count());
        return new Breach(
                "the %d redundant experts would never get a token: %s".formatted(engine.redundantExperts(), lacks),
                ("set rollout.layout.a2aBackend to deepep and rollout.sglang.ep-dispatch-algorithm to dynamic"
                                + " [--moe-a2a-backend deepep --ep-dispatch-algorithm dynamic, or --enable-eplb]")
                        + without);
    }

    private static @Nullable Breach balancing(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        if (!engine.expertBalancing() || ranks.ep() > 1) {
            return null;
        }
        Experts experts = candidate.model().experts();
        if (experts == null || ranks.tp() == 1) {
            return new Breach(
                    experts == null ? "a dense model has no experts to balance" : "one GPU has no experts to balance",
                    "remove rollout.sglang.enable-eplb [--enable-eplb]");
        }
        return new Breach(
                "balancing of experts needs expert parallelism, ep is %d".formatted(ranks.ep()),
                "set rollout.layout.ep to %d [--ep-size], or remove rollout.sglang.enable-eplb [--enable-eplb]"
                        .formatted(ranks.tp()));
    }

    private static @Nullable Breach denseBlocks(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        int size = engine.moeDenseTp();
        if (size == 0 || size == 1) {
            return null;
        }
        boolean all = candidate.installed().sglang().atLeast("0.5.13");
        if (all && size == ranks.tp()) {
            return null;
        }
        return new Breach(
                "dense blocks cannot be split over %d GPUs in SGLang %s"
                        .formatted(size, candidate.installed().sglang()),
                "set rollout.sglang.moe-dense-tp-size to 1%s, or leave it out [--moe-dense-tp-size]"
                        .formatted(all ? " or " + ranks.tp() : ""));
    }
}
