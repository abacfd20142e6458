package dev.sluice.events;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The catalogue of figures as a page. */
final class MetricsPage {
    private static final String HEAD = """
            # Figures
            Every name that a `MetricPoint` (`sluice.metrics.points.v1`) and the metrics of a `StepCompleted` may carry; publishing another one fails. Made from `RunMetric`; do not edit.
            Written by the run's trainer: `eval/...` when an evaluation has ended, the others in one transaction with their step. *slime* means that slime logs this name with this meaning.

            | name | title | unit | from | meaning |
            |---|---|---|---|---|
            """;

    private MetricsPage() {}

    static String text() {
        return Arrays.stream(RunMetric.values()).map(MetricsPage::row).collect(Collectors.joining("\n", HEAD, "\n"));
    }

    private static String row(RunMetric metric) {
        return "| `%s` | %s | %s | %s | %s |"
                .formatted(
                        metric.wireName(),
                        metric.title().replace("|", "\\|"),
                        metric.unit(),
                        metric.source() == RunMetric.Source.SLIME ? "slime" : "Sluice",
                        metric.meaning().replace("|", "\\|"));
    }
}
