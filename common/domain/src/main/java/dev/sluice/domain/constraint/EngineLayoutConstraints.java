package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.EngineCheck.engine;
import static dev.sluice.domain.constraint.EngineCheck.ranks;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** How an engine's GPUs are divided: stages, attention groups, nodes. */
final class EngineLayoutConstraints {
    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "S01",
                    Severity.ERROR,
                    "rollout.layout.dp",
                    "with DP attention an engine's GPUs of one stage (tp) are a multiple of dp",
                    "SGLang server_args.py _handle_data_parallelism",
                    ranks(EngineLayoutConstraints::groups)),
            new Constraint(
                    "S02",
                    Severity.FIX,
                    "rollout.layout.dp",
                    "dp above 1 comes with DP attention",
                    "slime sglang_utils/arguments.py",
                    engine(EngineLayoutConstraints::dpAttention)),
            new Constraint(
                    "S03",
                    Severity.FIX,
                    "rollout.sglang.enable-dp-lm-head",
                    "an output layer per attention group comes with DP attention and dp above 1",
                    "SGLang server_args.py _handle_data_parallelism",
                    engine(EngineLayoutConstraints::dpLmHead)),
            new Constraint(
                    "S04",
                    Severity.ERROR,
                    "rollout.layout.dp",
                    "attention heads divide over the GPUs of an attention group (tp / dp)",
                    "SGLang models/deepseek_v2.py DeepseekV2AttentionMLA; the GQA models assert the same",
                    ranks(EngineLayoutConstraints::heads)),
            new Constraint(
                    "S05",
                    Severity.ERROR,
                    "rollout.layout.dp",
                    "without MLA, key-value heads and the GPUs of an attention group divide one another",
                    "SGLang models/qwen3_moe.py, models/glm4_moe.py",
                    ranks(EngineLayoutConstraints::keyHeads)),
            new Constraint(
                    "S14",
                    Severity.ERROR,
                    "rollout.layout.gpusPerEngine",
                    "an engine's GPUs are whole nodes or an equal part of one",
                    "SGLang server_args.py check_server_args; slime's placement of engines",
                    engine(EngineLayoutConstraints::nodes)),
            new Constraint(
                    "S16",
                    Severity.ERROR,
                    "rollout.layout.pp",
                    "an engine's GPUs are a multiple of its pipeline stages",
                    "slime sglang_utils/arguments.py",
                    engine(EngineLayoutConstraints::stages)));

    private EngineLayoutConstraints() {}

    private static @Nullable Breach groups(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        if (ranks.attentionSplits()) {
            return null;
        }
        return new Breach(
                "DP attention needs tp (%d) to be a multiple of dp (%d)".formatted(ranks.tp(), ranks.dp()),
                setDp(ranks, candidate));
    }

    private static @Nullable Breach dpAttention(EngineSide engine, Candidate candidate) {
        if (engine.dp() <= 1 || engine.dpAttention()) {
            return null;
        }
        return new Breach(
                "dp %d without DP attention would be %d whole engines".formatted(engine.dp(), engine.dp()),
                "set rollout.sglang.enable-dp-attention [--enable-dp-attention]; the plan does");
    }

    private static @Nullable Breach dpLmHead(EngineSide engine, Candidate candidate) {
        if (!engine.dpLmHead() || engine.dp() > 1) {
            return null;
        }
        return new Breach(
                "an output layer per attention group has no meaning at dp %d: SGLang switches it off"
                        .formatted(engine.dp()),
                "remove rollout.sglang.enable-dp-lm-head [--enable-dp-lm-head]; the plan does");
    }

    private static @Nullable Breach heads(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        int heads = candidate.model().attention().heads();
        if (!ranks.attentionSplits() || heads % ranks.attentionTp() == 0) {
            return null;
        }
        return new Breach(
                "%d attention heads cannot be split over attention TP %d (%d GPUs / dp %d)"
                        .formatted(heads, ranks.attentionTp(), ranks.tp(), ranks.dp()),
                setDp(ranks, candidate));
    }

    private static @Nullable Breach keyHeads(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        if (!ranks.attentionSplits()
                || candidate.model().attention().heads() % ranks.attentionTp() != 0
                || EngineSizes.keysSplit(candidate.model(), ranks.attentionTp())
                || !(candidate.model().attention() instanceof GroupedQueryAttention grouped)) {
            return null;
        }
        return new Breach(
                "%d key-value heads and attention TP %d (%d GPUs / dp %d) do not divide one another"
                        .formatted(grouped.groups(), ranks.attentionTp(), ranks.tp(), ranks.dp()),
                setDp(ranks, candidate));
    }

    private static @Nullable Breach nodes(EngineSide engine, Candidate candidate) {
        int node = candidate.cluster().gpusPerNode();
        int gpus = engine.gpus();
        if (gpus < 1 || node < 1 || gpus % node == 0 || node % gpus == 0) {
            return null;
        }
        int below = gpus > node
                ? gpus / node * node
                : EngineSizes.divisors(node, size -> size < gpus).getFirst();
        int above = gpus > node
                ? below + node
                : EngineSizes.divisors(node, size -> size > gpus).getLast();
        List<Integer> sizes = Stream.of(below, above).toList();
        return new Breach(
                "an engine of %d GPUs does not tile nodes of %d".formatted(gpus, node),
                "set rollout.layout.gpusPerEngine to %s".formatted(EngineSizes.either(sizes)));
    }

    private static @Nullable Breach stages(EngineSide engine, Candidate candidate) {
        if (EngineRanks.of(engine) != null) {
            return null;
        }
        return new Breach(
                "an engine of %d GPUs cannot be cut into %d pipeline stages".formatted(engine.gpus(), engine.pp()),
                engine.gpus() < 1
                        ? "set rollout.layout.gpusPerEngine to at least 1"
                        : "set rollout.layout.pp to %s [--pp-size]"
                                .formatted(EngineSizes.either(EngineSizes.divisors(engine.gpus(), pp -> true))));
    }

    private static String setDp(EngineRanks ranks, Candidate candidate) {
        return "set rollout.layout.dp to %s [--dp-size --enable-dp-attention]"
                .formatted(EngineSizes.either(EngineSizes.dp(candidate.model(), ranks.tp())));
    }
}
