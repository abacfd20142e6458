package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.request.Requests;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplingTermsTest {
    private static final TrainingRequest EARLIER = Requests.complete(Requests.least());

    @ParameterizedTest
    @CsvSource({
        "rollout.temperature, 0.5",
        "rollout.samplesPerPrompt, 16",
        "rollout.maxResponseTokens, 77",
        "reward.type, '\"math\"'",
        "data.labelKey, '\"answer\"'"
    })
    void whatChangesSamplesOrTheirScoresIsNamed(String path, String value) {
        TrainingRequest later = Requests.complete(Requests.with(path, value));

        assertThat(SamplingTerms.differences(EARLIER, later)).isEqualTo(List.of(path));
    }

    @ParameterizedTest
    @CsvSource({
        "rollout.maxPolicyLag, 1",
        "rollout.engines, 3",
        "training.learningRate, 1e-3",
        "data.prompts, '\"/moved.jsonl\"'",
        "reward.timeoutSeconds, 7"
    })
    void samplesServeARunThatOnlyTrainsInAnotherWay(String path, String value) {
        TrainingRequest later = Requests.complete(Requests.with(path, value));

        assertThat(SamplingTerms.differences(EARLIER, later)).isEmpty();
    }
}
