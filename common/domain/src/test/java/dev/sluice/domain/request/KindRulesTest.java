package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.data.PromptRows;
import dev.sluice.domain.data.RowKeys;
import dev.sluice.domain.request.Facts.Model;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KindRulesTest {
    private static final String SFT = "{\"name\": \"sft\"}";

    @Test
    void givenAnswersNeedNeitherAGroupNorAnEnginesBackend() {
        ObjectNode document = Requests.with("algorithm", SFT);
        Requests.set(document, "rollout.samplesPerPrompt", "1");

        assertThat(problems(document)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "algorithm.entropyCoefficient | 0.1 | algorithm.entropyCoefficient",
                "algorithm.dualClip | 3 | algorithm.dualClip",
                "algorithm.whitenAdvantages | true | algorithm.whitenAdvantages",
                "training.steps | 0 | training.steps"
            })
    void whatTheLossOfGivenAnswersLacksIsRefused(String path, String value, String named) {
        ObjectNode document = Requests.with("algorithm", SFT);
        Requests.set(document, path, value);

        assertThat(problems(document)).extracting(Problem::path).contains(named);
    }

    @Test
    void aRunThatOnlySamplesMaySampleOnceAndGreedily() {
        ObjectNode document = Requests.with("training.steps", "0");
        Requests.set(document, "rollout.samplesPerPrompt", "1");
        Requests.set(document, "rollout.temperature", "0");

        assertThat(problems(document)).isEmpty();
    }

    @Test
    void anOwnerIsSpeltLikeARun() {
        assertThat(problems(Requests.with("scheduling.owner", "\"Alice Smith\"")))
                .singleElement()
                .satisfies(problem -> assertThat(problem.path()).isEqualTo("scheduling.owner"));
        assertThat(problems(Requests.with("scheduling.owner", "\"alice\""))).isEmpty();
    }

    @Test
    void rowsOfGivenAnswersNeedNoLabel() throws IOException {
        String rows =
                "{\"prompt\": [{\"role\": \"user\", \"content\": \"1?\"}]}\n{\"prompt\": \"1+1\", \"label\": 2}\n";

        assertThat(summary(rows, Requests.with("algorithm", SFT)).usable()).isEqualTo(2);
        assertThat(summary(rows, Requests.least()).usable()).isOne();
    }

    private static PromptRows.Summary summary(String rows, ObjectNode document) throws IOException {
        return PromptRows.scan(
                new ByteArrayInputStream(rows.getBytes(StandardCharsets.UTF_8)),
                RowKeys.of(Requests.complete(document)),
                row -> {});
    }

    private static List<Problem> problems(ObjectNode document) {
        TrainingRequest request = Requests.complete(document);
        Facts.PromptFile file = new Facts.PromptFile(null, new PromptRows.Summary(100, 0, List.of(), 10));
        return RequestRules.broken(
                request,
                new Facts(new Model(List.of(), null), Map.of(request.data().prompts(), file), 1));
    }
}
