package dev.sluice.cli.run;

import dev.sluice.domain.ledger.ControlPlaneTime;
import dev.sluice.domain.ledger.TimeBuckets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The ledger of time as a person reads it. */
final class TimeLines {
    private TimeLines() {}

    static List<String> of(RunReport.Seats time, @Nullable ControlPlaneTime controlPlane) {
        List<String> lines = new ArrayList<>();
        if (time.total() > 0) {
            String cost = time.perTrainedToken() == null
                    ? ""
                    : String.format(Locale.ROOT, ", %.5f a trained token", time.perTrainedToken());
            lines.add(String.format(Locale.ROOT, "  time           %,.1f %s%s", time.total(), time.unit(), cost));
            Map<String, Double> worker = byName(time.worker());
            byName(time.engines()).forEach((bucket, engines) -> {
                double both = engines + worker.get(bucket);
                if (both > 0) {
                    lines.add(String.format(
                            Locale.ROOT,
                            "    %-12s %,12.1f  %5.1f %%  (engines %,.1f, worker %,.1f)",
                            bucket,
                            both,
                            100 * both / time.total(),
                            engines,
                            worker.get(bucket)));
                }
            });
        }
        if (controlPlane != null) {
            lines.add(String.format(
                    Locale.ROOT,
                    "  control plane  %.0f ms of a step of %.0f ms, medians of %d steps (%s)",
                    controlPlane.millis(),
                    controlPlane.stepMillis(),
                    controlPlane.steps(),
                    causes(controlPlane)));
        }
        return lines;
    }

    private static String causes(ControlPlaneTime time) {
        return time.millisByCause().entrySet().stream()
                .map(cause -> String.format(Locale.ROOT, "%s %.0f", cause.getKey(), cause.getValue()))
                .collect(Collectors.joining(", "));
    }

    private static Map<String, Double> byName(TimeBuckets buckets) {
        Map<String, Double> names = new LinkedHashMap<>();
        names.put("generating", buckets.generating());
        names.put("waiting", buckets.waiting());
        names.put("hand-over", buckets.handOver());
        names.put("training", buckets.training());
        names.put("syncing", buckets.syncing());
        names.put("loading", buckets.loading());
        names.put("saving", buckets.saving());
        names.put("down", buckets.down());
        return names;
    }
}
