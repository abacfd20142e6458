package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import java.util.List;
import java.util.function.IntPredicate;

/** Sizes of an engine that would be legal, for mends. */
final class EngineSizes {
    private EngineSizes() {}

    /** Attention groups that split both heads and key-value heads, largest first. */
    static List<Integer> dp(ModelSpec model, int tp) {
        return divisors(tp, dp -> model.attention().heads() % (tp / dp) == 0 && keysSplit(model, tp / dp));
    }

    /** Expert-parallel sizes that split slots over ranks and an expert's width over the ranks that share it. */
    static List<Integer> ep(Experts experts, int redundant, int tp) {
        return divisors(tp, ep -> (experts.count() + redundant) % ep == 0 && experts.size() % (tp / ep) == 0);
    }

    /** Whether key-value heads can be split or repeated over this many GPUs; MLA has one latent for all heads. */
    static boolean keysSplit(ModelSpec model, int attentionTp) {
        return !(model.attention() instanceof GroupedQueryAttention grouped)
                || grouped.groups() < 1
                || grouped.groups() % attentionTp == 0
                || attentionTp % grouped.groups() == 0;
    }

    /** Expert slots beyond the experts that are least needed for equal shares: (-experts) mod ep. */
    static int leastRedundant(int experts, int ep) {
        return Math.floorMod(-experts, ep);
    }

    /**
     * {@code ", or use 3 engines of 8 GPUs, which need none ..."}: the largest smaller engine inside a node whose GPUs
     * divide the experts; nothing where there is none.
     */
    static String orSmallerEngines(Candidate candidate, int engineGpus, int experts) {
        int pool = candidate.cluster().rolloutGpus();
        int node = candidate.cluster().gpusPerNode();
        List<Integer> smaller = divisors(
                pool, gpus -> gpus > 1 && gpus < engineGpus && gpus <= node && node % gpus == 0 && experts % gpus == 0);
        if (smaller.isEmpty()) {
            return "";
        }
        int gpus = smaller.getFirst();
        return ", or use %d engines of %d GPUs, which need none: set rollout.layout.gpusPerEngine to %d"
                .formatted(pool / gpus, gpus, gpus);
    }

    /** {@code "24, 12 or 6"}. */
    static String either(List<Integer> sizes) {
        List<String> words = sizes.stream().map(String::valueOf).toList();
        return words.size() < 2
                ? String.join("", words)
                : String.join(", ", words.subList(0, words.size() - 1)) + " or " + words.getLast();
    }

    /** Divisors of this number that pass, largest first; none of a number below 1. */
    static List<Integer> divisors(int number, IntPredicate passes) {
        return Divisors.of(number).reversed().stream().filter(passes::test).toList();
    }
}
