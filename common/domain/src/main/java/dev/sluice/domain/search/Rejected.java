package dev.sluice.domain.search;

import dev.sluice.events.Plan.Rejection;
import dev.sluice.events.Problem;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** Collects why layouts cannot run: one entry for each family and rule, with the first message as the example. */
final class Rejected {
    private static final int MOST_TOLD = 24;

    private record Key(String family, String rule) {}

    private record Entry(Problem problem, double nearness, int layouts) {}

    private final Map<Key, Entry> entries = new LinkedHashMap<>();

    /**
     * Adds a layout.
     *
     * @param family what it has in common with others, such as {@code TP 8}
     * @param nearness the smaller, the better this layout explains the family's rejection
     * @param problem asked for only where it is told
     */
    void add(String family, String rule, double nearness, Supplier<Problem> problem) {
        Key key = new Key(family, rule);
        Entry known = entries.get(key);
        boolean better = known == null || nearness < known.nearness();
        int layouts = known == null ? 1 : known.layouts() + 1;
        entries.put(
                key,
                better
                        ? new Entry(problem.get(), nearness, layouts)
                        : new Entry(known.problem(), known.nearness(), layouts));
    }

    /** One problem a rule, the nearest layout's. */
    List<Problem> problems() {
        Map<String, Entry> byRule = new LinkedHashMap<>();
        entries.forEach((key, entry) ->
                byRule.merge(key.rule(), entry, (known, added) -> added.nearness() < known.nearness() ? added : known));
        return byRule.values().stream().map(Entry::problem).toList();
    }

    /** Structure first, then what is too large, the nearest first. */
    List<Rejection> told() {
        return entries.entrySet().stream()
                .sorted(Comparator.<Map.Entry<Key, Entry>>comparingInt(
                                entry -> entry.getKey().rule().startsWith("H") ? 1 : 0)
                        .thenComparingDouble(entry -> entry.getValue().nearness()))
                .limit(MOST_TOLD)
                .map(entry -> new Rejection(
                        entry.getKey().family(),
                        entry.getKey().rule(),
                        entry.getValue().problem().message(),
                        entry.getValue().layouts()))
                .toList();
    }
}
