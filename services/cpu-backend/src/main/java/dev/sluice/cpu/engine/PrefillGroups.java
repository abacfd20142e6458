package dev.sluice.cpu.engine;

import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Sequences that begin together, by equal tokens: of each group one, its leader, is computed, and the others take over its
 * cache and its distribution of the next token.
 *
 * @param ordered leaders first
 */
record PrefillGroups(List<Sequence> leaders, List<Sequence> ordered, Map<Sequence, Sequence> leaderBySequence) {

    static PrefillGroups of(List<Sequence> fresh) {
        Map<List<Object>, Sequence> leaders = new LinkedHashMap<>();
        Map<Sequence, Sequence> leaderOf = new HashMap<>();
        for (Sequence sequence : fresh) {
            leaderOf.put(sequence, leaders.computeIfAbsent(key(sequence), key -> sequence));
        }
        List<Sequence> ordered = new ArrayList<>(leaders.values());
        fresh.stream().filter(sequence -> leaderOf.get(sequence) != sequence).forEach(ordered::add);
        return new PrefillGroups(List.copyOf(leaders.values()), List.copyOf(ordered), Map.copyOf(leaderOf));
    }

    Sequence leaderOf(Sequence sequence) {
        Sequence leader = leaderBySequence.get(sequence);
        if (leader == null) {
            throw new IllegalStateException(sequence.request().rid() + " is not among the sequences that begin");
        }
        return leader;
    }

    /** Sequences with equal keys have the same cache and the same first distribution. */
    private static List<Object> key(Sequence sequence) {
        if (!sequence.sharesPrefill()) {
            return List.of(sequence);
        }
        return List.of(IntBuffer.wrap(sequence.tokens()), sequence.lawKey());
    }
}
