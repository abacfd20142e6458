package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.LinearAttention;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How attention heads split, and what each kind of attention excludes. */
final class AttentionConstraints {
    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "M03",
                    Severity.ERROR,
                    "training.layout.tp",
                    "TP divides the attention heads",
                    "Megatron transformer_config __post_init__",
                    AttentionConstraints::heads),
            new Constraint(
                    "M04",
                    Severity.ERROR,
                    "training.layout.tp",
                    "key-value groups and TP divide one another, unless attention is latent",
                    "Megatron transformer_config",
                    AttentionConstraints::groups),
            new Constraint(
                    "M26",
                    Severity.ERROR,
                    "training.megatron",
                    "latent attention has no query groups and no interleaved rotary embedding",
                    "Megatron validate_args; transformer_config",
                    AttentionConstraints::latent),
            new Constraint(
                    "M41",
                    Severity.ERROR,
                    "training.layout",
                    "TP*CP divides the heads of gated delta-net layers where Megatron's own are used",
                    "Megatron transformer_config",
                    AttentionConstraints::linear),
            new Constraint(
                    "M42",
                    Severity.ERROR,
                    "training.megatron",
                    "all-gather context parallelism needs sparse attention with an indexer",
                    "slime backends/megatron_utils/arguments.py",
                    AttentionConstraints::allGather));

    private AttentionConstraints() {}

    /** Whether key-value groups can be spread over so many ranks (rule M04). */
    static boolean groupsFit(Candidate candidate, int tp) {
        return !(candidate.model().attention() instanceof GroupedQueryAttention attention)
                || attention.groups() < 1
                || tp < 1
                || attention.groups() % tp == 0
                || tp % attention.groups() == 0;
    }

    private static @Nullable Breach heads(Candidate candidate) {
        int heads = candidate.model().attention().heads();
        int tp = candidate.training().layout().tp();
        if (tp < 1 || heads % tp == 0) {
            return null;
        }
        return new Breach("%d attention heads cannot be split over TP %d".formatted(heads, tp), tensorMend(candidate));
    }

    private static @Nullable Breach groups(Candidate candidate) {
        int tp = candidate.training().layout().tp();
        if (groupsFit(candidate, tp) || candidate.model().attention().heads() % tp != 0) {
            return null;
        }
        int groups = ((GroupedQueryAttention) candidate.model().attention()).groups();
        return new Breach(
                "%d key-value groups and TP %d do not divide one another".formatted(groups, tp), tensorMend(candidate));
    }

    private static String tensorMend(Candidate candidate) {
        List<Integer> fitting = Grid.of(candidate).tensorSizes();
        List<Integer> legal = fitting.isEmpty()
                ? Divisors.of(
                        candidate.model().attention().heads(),
                        Math.max(1, candidate.cluster().gpusPerNode()))
                : fitting;
        return "set training.layout.tp to " + Divisors.choice(legal);
    }

    private static @Nullable Breach latent(Candidate candidate) {
        if (!candidate.model().latent()) {
            return null;
        }
        String flag = Given.has(candidate, "--group-query-attention")
                ? "--group-query-attention"
                : Given.has(candidate, "--rotary-interleaved") ? "--rotary-interleaved" : null;
        return flag == null
                ? null
                : new Breach(
                        "%s is given, but the model has multi-head latent attention, which excludes it".formatted(flag),
                        "leave %s out of training.megatron".formatted(flag));
    }

    private static @Nullable Breach linear(Candidate candidate) {
        LinearAttention linear = candidate.model().linearAttention();
        Layout layout = candidate.training().layout();
        // A --spec brings layers of its own, which split heads in their own way: slime's plugins for Qwen3-Next do.
        if (linear == null || layout.tp() < 1 || layout.cp() < 1 || Given.has(candidate, "--spec")) {
            return null;
        }
        if (layout.cp() > 1 && !candidate.installed().megatron().atLeast("0.18")) {
            return new Breach(
                    "CP is %d, but gated delta-net layers take none in Megatron %s"
                            .formatted(layout.cp(), candidate.installed().megatron()),
                    "set training.layout.cp to 1, or install Megatron 0.18");
        }
        long ranks = (long) layout.tp() * layout.cp();
        if (linear.keyHeads() % ranks == 0 && linear.valueHeads() % ranks == 0) {
            return null;
        }
        List<Integer> legal = Divisors.of(linear.keyHeads()).stream()
                .filter(size -> linear.valueHeads() % size == 0)
                .toList();
        return new Breach(
                "%d key and %d value heads of linear attention do not divide over TP*CP = %d*%d = %d"
                        .formatted(linear.keyHeads(), linear.valueHeads(), layout.tp(), layout.cp(), ranks),
                "choose training.layout.tp and cp whose product is " + Divisors.choice(legal));
    }

    private static @Nullable Breach allGather(Candidate candidate) {
        int cp = candidate.training().layout().cp();
        if (cp <= 1
                || !Given.has(candidate, "--allgather-cp")
                || candidate.model().indexer() != null) {
            return null;
        }
        return new Breach(
                "--allgather-cp with CP %d needs sparse attention with an indexer, which %s lacks"
                        .formatted(cp, candidate.model().architecture()),
                "remove --allgather-cp");
    }
}
