package dev.sluice.cli.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.sluice.domain.ledger.ControlPlaneTime;
import dev.sluice.domain.ledger.SeatTime;
import dev.sluice.domain.ledger.StepReward;
import dev.sluice.domain.ledger.TimeBuckets;
import dev.sluice.domain.ledger.TokenBuckets;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What came out of a run, as {@code report.json} has it. Absent figures are null.
 *
 * @param outcome succeeded, failed, cancelled or rejected
 * @param steps trained, each once
 * @param rewardFirst10 mean reward of the first ten steps
 * @param rewardLast10 mean reward of the last ten steps
 * @param evalBefore mean of {@code evalMeasure} on the held-out sets before the first step
 * @param evalAfter the same when they were measured last; null when only before the first step
 * @param tokens by what became of them
 * @param tokensGenerated the sum of {@code tokens}
 * @param seatTime what engines and worker did with their seats, and what a trained token cost of it
 * @param controlPlane what a step takes besides their work; null where no step was measured
 * @param acceptLength tokens per verification of speculative decoding
 * @param engineDeaths what came of killing engines; null where none were to be killed
 * @param policyLags groups trained on by policy lag, from 0
 * @param evalMeasure what is measured on held-out sets: {@code reward}, or {@code logprob} of a token of the given answers, nats
 * @param findings where the log breaks the protocols' invariants; empty where it keeps them, null where nobody looked
 */
public record RunReport(
        String runId,
        String outcome,
        int steps,
        @Nullable Double rewardFirst10,
        @Nullable Double rewardLast10,
        @Nullable Double evalBefore,
        @Nullable Double evalAfter,
        TokenBuckets tokens,
        long tokensGenerated,
        Seats seatTime,
        @Nullable ControlPlaneTime controlPlane,
        @Nullable Double acceptLength,
        Seconds seconds,
        Checkpoints checkpoints,
        EngineKiller.@Nullable Figures engineDeaths,
        @Nullable List<String> findings,
        List<Integer> policyLags,
        String evalMeasure,
        long tokensAdopted) {

    private static final int EDGE_STEPS = 10;
    private static final JsonMapper JSON = new JsonMapper(); // unlike events, a report says null

    /**
     * Seconds of the parts of a demo.
     *
     * @param startup until every service was ready
     * @param train from the run's start to its last step
     * @param total of the whole command so far
     */
    public record Seconds(
            double startup,
            @Nullable Double convert,
            @Nullable Double train,
            @Nullable Double export,
            double total) {}

    /**
     * The ledger of time, in its unit.
     *
     * @param total the sum of all buckets of both sides: every second of every seat
     * @param perTrainedToken total by tokens trained on; null where none was
     */
    public record Seats(
            String unit,
            double wallSeconds,
            TimeBuckets engines,
            TimeBuckets worker,
            double total,
            @Nullable Double perTrainedToken) {
        static Seats of(SeatTime time, long tokensTrained) {
            return new Seats(
                    time.unit(),
                    rounded(time.wallSeconds()),
                    time.engines().rounded(),
                    time.worker().rounded(),
                    rounded(time.all().total()),
                    tokensTrained == 0 ? null : time.perTrainedToken(tokensTrained));
        }
    }

    /** Directories of the final checkpoint; a run that trains nothing has none. */
    public record Checkpoints(
            @Nullable String torchDist, @Nullable String huggingFace) {
        static Checkpoints of(RunProjection run) {
            RunSucceeded succeeded = run.succeeded();
            return succeeded == null || run.kind() == RunKind.ROLLOUT_ONLY
                    ? new Checkpoints(null, null)
                    : new Checkpoints(succeeded.torchDist(), succeeded.huggingFace());
        }
    }

    /**
     * @param startup until every service was ready
     * @param total of the whole command so far
     */
    public static RunReport of(RunProjection run, Duration startup, Duration total) {
        List<StepReward> rewards = run.ledger().rewards();
        int edge = Math.min(EDGE_STEPS, rewards.size());
        return new RunReport(
                run.runId(),
                run.phase().word(),
                run.ledger().stepsTrained(),
                mean(rewards.subList(0, edge)),
                mean(rewards.subList(rewards.size() - edge, rewards.size())),
                evaluation(
                        run.evaluations(),
                        steps(run.evaluations()).filter(step -> step == 0).findFirst()),
                evaluation(
                        run.evaluations(),
                        steps(run.evaluations()).filter(step -> step > 0).max()),
                run.ledger().tokens(),
                run.ledger().tokens().total(),
                Seats.of(run.seatTime(), run.ledger().tokens().trained()),
                run.controlPlane().orElse(null),
                run.ledger().acceptLength().isPresent()
                        ? run.ledger().acceptLength().getAsDouble()
                        : null,
                seconds(run, startup, total),
                Checkpoints.of(run),
                null,
                null,
                run.ledger().policyLags(),
                run.kind() == RunKind.SUPERVISED ? "logprob" : "reward",
                run.ledger().tokensAdopted());
    }

    /** The same with what a look at the whole log has found. */
    public RunReport with(EngineKiller.@Nullable Figures deaths, List<String> found) {
        return new RunReport(
                runId,
                outcome,
                steps,
                rewardFirst10,
                rewardLast10,
                evalBefore,
                evalAfter,
                tokens,
                tokensGenerated,
                seatTime,
                controlPlane,
                acceptLength,
                seconds,
                checkpoints,
                deaths,
                List.copyOf(found),
                policyLags,
                evalMeasure,
                tokensAdopted);
    }

    /** One JSON document on several lines. */
    public String toJson() {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a report that cannot be written: " + this, e);
        }
    }

    public void write(Path file) throws IOException {
        Files.writeString(file, toJson() + "\n");
    }

    private static Seconds seconds(RunProjection run, Duration startup, Duration total) {
        Instant started = run.startedAt();
        Instant trained = run.trainedAt();
        return new Seconds(
                seconds(startup),
                run.converted() == null ? null : rounded(run.converted().seconds()),
                started == null || trained == null ? null : seconds(Duration.between(started, trained)),
                run.exported() == null ? null : rounded(run.exported().seconds()),
                seconds(total));
    }

    private static double seconds(Duration duration) {
        return rounded(duration.toMillis() / 1e3);
    }

    private static double rounded(double seconds) {
        return Math.round(seconds * 100) / 100.0;
    }

    private static @Nullable Double mean(List<StepReward> rewards) {
        var mean = rewards.stream().mapToDouble(StepReward::reward).average();
        return mean.isPresent() ? mean.getAsDouble() : null;
    }

    private static IntStream steps(List<EvalCompleted> evaluations) {
        return evaluations.stream().mapToInt(EvalCompleted::step);
    }

    private static @Nullable Double evaluation(List<EvalCompleted> evaluations, OptionalInt step) {
        var mean = evaluations.stream()
                .filter(evaluation -> step.isPresent() && evaluation.step() == step.getAsInt())
                // One that ended before anything was measured has no reward.
                .filter(evaluation -> evaluation.samples() > 0)
                .mapToDouble(EvalCompleted::meanReward)
                .average();
        return mean.isPresent() ? mean.getAsDouble() : null;
    }
}
