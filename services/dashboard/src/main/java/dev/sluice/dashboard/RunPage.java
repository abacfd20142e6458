package dev.sluice.dashboard;

import dev.sluice.domain.ledger.ControlPlaneTime;
import dev.sluice.domain.ledger.HandOvers;
import dev.sluice.domain.ledger.SeatTime;
import dev.sluice.domain.ledger.TokenBuckets;
import dev.sluice.events.CheckpointEvent;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One run as JSON, for the page and for anybody else.
 *
 * @param conversion the conversion or export that goes on, if one does
 * @param waiting what the trainer waits for, if it does
 * @param handOver how engines, training and weights share GPUs
 * @param tokens the ledger
 * @param seatTime where the time of engines and worker went
 * @param controlPlane what a step takes besides their work; null where no step was measured
 * @param series figures by step, by slime's metric names
 */
record RunPage(
        Summary run,
        int epoch,
        int weightVersion,
        @Nullable Conversion conversion,
        @Nullable Wait waiting,
        HandOver handOver,
        TokenBuckets tokens,
        long tokensGenerated,
        SeatTime seatTime,
        double seatTimePerTrainedToken,
        @Nullable ControlPlaneTime controlPlane,
        double acceptLength,
        List<EngineView> engines,
        List<Evaluation> evaluations,
        List<Moment> history,
        Map<String, Series> series) {

    /**
     * @param kind what the run does, empty before it is planned
     * @param position among the runs that wait, from 1; 0 where it waits for nothing
     */
    record Summary(
            String runId,
            String name,
            String phase,
            int step,
            int steps,
            double reward,
            String kind,
            int priority,
            int position) {}

    /**
     * @param placement colocated or disaggregated, empty before the run is planned
     * @param transport how weights travel, empty before
     * @param now the newest phase; absent where nothing is handed over
     */
    record HandOver(String placement, String transport, HandOvers.@Nullable Now now) {}

    record Wait(
            String waitingFor,
            String reason,
            Instant since,
            @Nullable Instant deadline) {}

    /** @param waitingFor who holds its target and since when, or what else keeps the copy from beginning */
    record Conversion(
            CheckpointEvent.Direction direction,
            long bytesDone,
            long bytesTotal,
            @Nullable String waitingFor) {}

    record Evaluation(String set, int step, int samples, double meanReward) {}

    record Moment(Instant at, String what) {}

    record Series(List<Integer> steps, List<Double> values) {
        static Map<String, Series> of(Map<String, ? extends SortedMap<Integer, Double>> points) {
            Map<String, Series> series = new TreeMap<>();
            points.forEach((name, values) ->
                    series.put(name, new Series(List.copyOf(values.keySet()), List.copyOf(values.values()))));
            return series;
        }
    }
}
