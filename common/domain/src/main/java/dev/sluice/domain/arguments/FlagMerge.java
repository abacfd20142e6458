package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Version;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Joins what the planner derives with further flags. A further flag replaces a derived one only where requests may set
 * it; elsewhere the derived one stands, since memory and rules were computed for it.
 *
 * @param table the program's flags
 * @param version the program's version, which names are spelled for
 */
record FlagMerge(FlagTable table, Version version) {

    Flags join(Flags derived, Flags further) {
        Map<String, List<String>> joined = new LinkedHashMap<>();
        derived.values().forEach((name, value) -> {
            if (table.has(name, version)) {
                joined.put(table.spelled(name, version), value);
            }
        });
        further.values().forEach((name, value) -> {
            String spelled = table.spelled(name, version);
            if (!joined.containsKey(spelled) || free(spelled)) {
                joined.put(spelled, value);
            }
        });
        return new Flags(joined);
    }

    /** Further flags that say other than what is derived and do not count. */
    List<String> contradictions(Flags derived, Flags further) {
        Flags joined = join(derived, Flags.NONE);
        return further.values().keySet().stream()
                .filter(name -> contradicts(
                        joined, table.spelled(name, version), further.values().get(name)))
                .toList();
    }

    private boolean contradicts(Flags joined, String spelled, List<String> value) {
        List<String> derived = joined.values().get(spelled);
        return derived != null && !free(spelled) && !same(derived, value);
    }

    private static boolean same(List<String> derived, List<String> further) {
        if (derived.size() != further.size()) {
            return false;
        }
        for (int i = 0; i < derived.size(); i++) {
            if (!same(derived.get(i), further.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** As text or, since {@code 1e-5} and {@code 0.00001} are the same, as numbers. */
    private static boolean same(String one, String other) {
        try {
            return one.equals(other) || Double.parseDouble(one) == Double.parseDouble(other);
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private boolean free(String flag) {
        return table.find(flag.substring("--".length()))
                .filter(entry -> entry.use() instanceof FlagUse.Free)
                .isPresent();
    }
}
