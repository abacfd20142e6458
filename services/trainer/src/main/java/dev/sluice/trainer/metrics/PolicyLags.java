package dev.sluice.trainer.metrics;

import dev.sluice.events.RunMetric;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.GroupUse;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** How old the groups of a step were: publications between a group's oldest token and its use. */
public final class PolicyLags {
    /** Each lag is a metric of its own; a request may allow a thousand. */
    private static final int MOST_LAGS = 16;

    private PolicyLags() {}

    /** Groups by policy lag, from 0 to the greatest there was. */
    public static List<Integer> histogram(BatchFormed formed) {
        int greatest =
                formed.groups().stream().mapToInt(GroupUse::policyLag).max().orElse(0);
        return IntStream.rangeClosed(0, greatest)
                .mapToObj(lag -> (int) formed.groups().stream()
                        .filter(use -> use.policyLag() == lag)
                        .count())
                .toList();
    }

    /**
     * The same as figures. Those of the lags that the run allows are always there, so that none keeps the value of an earlier step;
     * what is older counts as {@code more}.
     */
    public static Map<String, Double> figures(BatchFormed formed, int maxPolicyLag) {
        List<Integer> histogram = histogram(formed);
        int shown = Math.min(MOST_LAGS, maxPolicyLag + 1);
        Map<String, Double> figures = new LinkedHashMap<>();
        for (int lag = 0; lag < shown; lag++) {
            figures.put(
                    RunMetric.POLICY_LAG_COUNT.wireName(Integer.toString(lag)),
                    lag < histogram.size() ? histogram.get(lag).doubleValue() : 0.0);
        }
        figures.put(
                RunMetric.POLICY_LAG_COUNT.wireName("more"),
                histogram.stream().skip(shown).mapToDouble(Integer::doubleValue).sum());
        return figures;
    }
}
