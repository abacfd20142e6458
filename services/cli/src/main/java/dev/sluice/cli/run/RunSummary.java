package dev.sluice.cli.run;

import dev.sluice.domain.ledger.Bucket;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A report as a person reads it. */
public final class RunSummary {
    private RunSummary() {}

    /** One line a fact. */
    public static List<String> lines(RunReport report, String reason) {
        List<String> lines = new ArrayList<>();
        String why = reason.isEmpty() ? "" : ": " + reason;
        lines.add("run %s %s after %d steps%s".formatted(report.runId(), report.outcome(), report.steps(), why));
        lines.add("  reward         %s -> %s   (first and last 10 steps)"
                .formatted(number(report.rewardFirst10()), number(report.rewardLast10())));
        lines.add("  held-out       %s -> %s   (%s before and after)"
                .formatted(
                        number(report.evalBefore()),
                        number(report.evalAfter()),
                        report.evalMeasure().equals("logprob") ? "log-probability of an answer's token," : "reward"));
        lines.add("  accept length  %s tokens a verification".formatted(number(report.acceptLength())));
        if (report.policyLags().size() > 1) {
            lines.add("  policy lag     " + lags(report.policyLags()) + "   (groups by publications since sampling)");
        }
        lines.add("  tokens         %,d generated".formatted(report.tokensGenerated()));
        for (Bucket bucket : Bucket.values()) {
            long tokens = report.tokens().get(bucket);
            if (tokens > 0) {
                lines.add("    %-12s %,12d  %5.1f %%"
                        .formatted(
                                bucket.name().toLowerCase(Locale.ROOT),
                                tokens,
                                100.0 * tokens / report.tokensGenerated()));
            }
        }
        if (report.tokensAdopted() > 0) {
            lines.add("  taken over     %,d tokens, in the buckets of the run that generated them"
                    .formatted(report.tokensAdopted()));
        }
        lines.addAll(TimeLines.of(report.seatTime(), report.controlPlane()));
        if (report.engineDeaths() != null) {
            lines.add(
                    "  engines killed %d, and %d times the next one has sampled: after %.1f s at the median, %.1f s at most"
                            .formatted(
                                    report.engineDeaths().killed(),
                                    report.engineDeaths().followed(),
                                    report.engineDeaths().medianSeconds(),
                                    report.engineDeaths().longestSeconds()));
        }
        if (report.findings() != null) {
            lines.add("  log            " + (report.findings().isEmpty() ? "keeps every invariant" : "is broken:"));
            report.findings().forEach(finding -> lines.add("    " + finding));
        }
        RunReport.Seconds seconds = report.seconds();
        if (seconds.total() > 0) { // else it is told by a command that did not see the run begin
            lines.add("  seconds        startup %s, convert %s, train %s, export %s, total %s"
                    .formatted(
                            number(seconds.startup()),
                            number(seconds.convert()),
                            number(seconds.train()),
                            number(seconds.export()),
                            number(seconds.total())));
        }
        if (report.checkpoints().huggingFace() != null) {
            lines.add("  Hugging Face   " + report.checkpoints().huggingFace());
            lines.add("  torch_dist     " + report.checkpoints().torchDist());
        }
        return lines;
    }

    private static String lags(List<Integer> groups) {
        return IntStream.range(0, groups.size())
                .mapToObj(lag -> "%d: %,d".formatted(lag, groups.get(lag)))
                .collect(Collectors.joining(", "));
    }

    private static String number(@Nullable Double value) {
        return value == null ? "-" : String.format(Locale.ROOT, "%.2f", value);
    }
}
