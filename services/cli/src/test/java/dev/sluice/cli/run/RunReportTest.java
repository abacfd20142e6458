package dev.sluice.cli.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.cli.plan.ExamplePlans;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading.Complete;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.events.TrainingRequest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Means are those of the rewards that the test writes, worked out by hand. */
class RunReportTest {
    @Test
    void holdsExactlyTheFieldsThatReadmeLists() throws JsonProcessingException {
        JsonNode report = json(RunReport.of(new RunEvents().run(), Duration.ofSeconds(12), Duration.ofSeconds(60)));

        assertThat(report.fieldNames())
                .toIterable()
                .containsExactly(
                        "runId",
                        "outcome",
                        "steps",
                        "rewardFirst10",
                        "rewardLast10",
                        "evalBefore",
                        "evalAfter",
                        "tokens",
                        "tokensGenerated",
                        "seatTime",
                        "controlPlane",
                        "acceptLength",
                        "seconds",
                        "checkpoints",
                        "engineDeaths",
                        "findings",
                        "policyLags",
                        "evalMeasure",
                        "tokensAdopted");
        assertThat(report.path("tokens").fieldNames())
                .toIterable()
                .containsExactly(
                        "trained",
                        "masked",
                        "filtered",
                        "stale",
                        "abandoned",
                        "aborted",
                        "duplicate",
                        "evaluation",
                        "open",
                        "rolledBack");
        assertThat(report.path("seconds").fieldNames())
                .toIterable()
                .containsExactly("startup", "convert", "train", "export", "total");
        assertThat(report.path("checkpoints").fieldNames()).toIterable().containsExactly("torchDist", "huggingFace");
    }

    @Test
    void comparesTheFirstWithTheLastTenStepsAndTheEvaluationsAroundThem() {
        RunEvents events = new RunEvents().converted().started().evaluation(0, 0.25);
        for (int step = 1; step <= 20; step++) {
            events.step(step, step <= 10 ? 0.1 : 0.01 * step);
        }
        events.evaluation(10, 0.5).evaluation(20, 0.75).succeeded(20);

        RunReport report = RunReport.of(events.run(), Duration.ofSeconds(12), Duration.ofSeconds(60));

        assertThat(report.outcome()).isEqualTo("succeeded");
        assertThat(report.steps()).isEqualTo(20);
        assertThat(report.rewardFirst10()).isCloseTo(0.1, within(1e-12));
        assertThat(report.rewardLast10()).isCloseTo(0.155, within(1e-12));
        assertThat(report.evalBefore()).isEqualTo(0.25);
        assertThat(report.evalAfter()).isEqualTo(0.75);
        // One second an event: the start is the second, the last step the twenty-third.
        assertThat(report.seconds()).isEqualTo(new RunReport.Seconds(12, 0.25, 21.0, 0.75, 60));
        assertThat(report.checkpoints()).isEqualTo(new RunReport.Checkpoints("/dist", "/export"));
    }

    @Test
    void aRunThatWasMeasuredOnlyBeforeItsFirstStepHasNoResultAfterIt() {
        RunReport report =
                RunReport.of(new RunEvents().evaluation(0, 0.25).step(1, 0.2).run(), Duration.ZERO, Duration.ZERO);

        assertThat(report.evalBefore()).isEqualTo(0.25);
        assertThat(report.evalAfter()).isNull();
    }

    @Test
    void aRunShorterThanTenStepsComparesWhatThereIs() {
        RunReport report =
                RunReport.of(new RunEvents().step(1, 0.2).step(2, 0.4).run(), Duration.ZERO, Duration.ZERO);

        assertThat(report.rewardFirst10()).isCloseTo(0.3, within(1e-12));
        assertThat(report.rewardLast10()).isEqualTo(report.rewardFirst10());
    }

    @Test
    void whatIsNotKnownIsNullInTheFileAndADashInTheTable() throws JsonProcessingException {
        RunReport report = RunReport.of(new RunEvents().run(), Duration.ZERO, Duration.ZERO);

        assertThat(json(report).path("evalAfter").isNull()).isTrue();
        assertThat(RunSummary.lines(report, "")).anyMatch(line -> line.contains("held-out       - -> -"));
        assertThat(RunSummary.lines(report, "no trainer"))
                .first()
                .isEqualTo("run run-1 requested after 0 steps: no trainer");
    }

    @Test
    void theTableNamesWhereTheCheckpointsLie() {
        List<String> lines =
                RunSummary.lines(RunReport.of(new RunEvents().succeeded(3).run(), Duration.ZERO, Duration.ZERO), "");

        assertThat(lines).anyMatch(line -> line.endsWith("/export")).anyMatch(line -> line.endsWith("/dist"));
    }

    @Test
    void heldOutAnswersAreMeasuredByTheirLogProbabilityAndSaySo() throws JsonProcessingException {
        RunReport report = RunReport.of(
                planned("{\"name\": \"sft\"}", 4).evaluation(0, -2.5).run(), Duration.ZERO, Duration.ZERO);

        assertThat(json(report).path("evalMeasure").asText()).isEqualTo("logprob");
        assertThat(RunSummary.lines(report, ""))
                .contains("  held-out       -2.50 -> -   (log-probability of an answer's token, before and after)");
    }

    @Test
    void aRunThatTrainsNothingHasNoCheckpointOfItsOwn() throws JsonProcessingException {
        RunReport report = RunReport.of(
                planned("{}", 0)
                        .publish(new RunSucceeded(RunEvents.RUN, 0, "/model", "/model"))
                        .run(),
                Duration.ZERO,
                Duration.ZERO);

        assertThat(report.checkpoints()).isEqualTo(new RunReport.Checkpoints(null, null));
        assertThat(RunSummary.lines(report, "")).noneMatch(line -> line.contains("/model"));
    }

    private static RunEvents planned(String algorithm, int steps) throws JsonProcessingException {
        var document = new ObjectMapper().readTree("""
                {"backend": "cpu", "model": {"path": "/model"}, "data": {"prompts": "/rows.jsonl"},
                 "algorithm": %s, "training": {"steps": %d}}
                """.formatted(algorithm, steps));
        TrainingRequest request = ((Complete) RequestReader.read(document)).request();
        return new RunEvents().publish(new RunPlanned(RunEvents.RUN, "sha", request, ExamplePlans.glmOnOneNode()));
    }

    private static JsonNode json(RunReport report) throws JsonProcessingException {
        return new ObjectMapper().readTree(report.toJson());
    }
}
