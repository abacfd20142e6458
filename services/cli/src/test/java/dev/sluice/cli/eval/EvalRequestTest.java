package dev.sluice.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example's model takes 128 tokens (max_position_embeddings in its config.json). */
class EvalRequestTest {
    private static final Path MODEL = Path.of(System.getProperty("sluice.root"), "deploy/examples/tiny/model");

    @TempDir
    private Path directory;

    private Path prompts;

    @BeforeEach
    void prompts() throws IOException {
        prompts = Files.writeString(directory.resolve("rows.jsonl"), "{\"prompt\": \"s314159=\", \"label\": \"1\"}\n");
    }

    @Test
    void responsesAreAsLongAsTheModelsContextAllowsBesideTheLongestPrompt() {
        assertThat(longest(null, List.of())).isEqualTo(128 - "s314159=".length());
    }

    @Test
    void promptsOfManyBytesLeaveHalfOfTheContext() throws IOException {
        Files.writeString(prompts, "{\"prompt\": \"%s\", \"label\": \"1\"}\n".formatted("word ".repeat(24)));

        assertThat(longest(null, List.of())).isEqualTo(64);
    }

    @Test
    void whatIsSaidIsTaken() throws IOException {
        assertThat(longest(8, List.of())).isEqualTo(8);
        assertThat(longest(8, List.of("rollout.maxResponseTokens=9"))).isEqualTo(9);
        assertThat(longest(null, List.of("rollout.maxResponseTokens=9"))).isEqualTo(9);
        Path request = Files.writeString(directory.resolve("request.yaml"), "rollout: {maxResponseTokens: 10}\n");
        assertThat(document(request, null, List.of())
                        .at("/rollout/maxResponseTokens")
                        .asInt())
                .isEqualTo(10);
    }

    @Test
    void whatIsSaidCountsForARequestsHeldOutSetsAndWhatIsNotIsTheirs() throws IOException {
        Path request = Files.writeString(directory.resolve("request.yaml"), """
                evaluation:
                  - {name: a, prompts: rows.jsonl, samplesPerPrompt: 2, temperature: 0.5}
                  - {name: b, prompts: rows.jsonl}
                """);
        var sampling = new EvalRequest.Sampling(8, 16, null, null);

        ObjectNode document = new EvalRequest(MODEL, request, List.of(), sampling, List.of()).document();

        assertThat(document.at("/evaluation/0/samplesPerPrompt").asInt()).isEqualTo(8);
        assertThat(document.at("/evaluation/0/temperature").asDouble()).isEqualTo(0.5);
        assertThat(document.at("/evaluation/1/samplesPerPrompt").asInt()).isEqualTo(8);
        assertThat(document.at("/evaluation/1/maxResponseTokens").asInt()).isEqualTo(16);
    }

    @Test
    void aRequestWithoutHeldOutSetsIsMeasuredOnItsPromptsAsIsSaid() throws IOException {
        Path request = Files.writeString(directory.resolve("request.yaml"), "data: {prompts: rows.jsonl}\n");
        var sampling = new EvalRequest.Sampling(8, null, 0.25, null);

        ObjectNode document = new EvalRequest(MODEL, request, List.of(), sampling, List.of()).document();

        assertThat(document.at("/rollout/samplesPerPrompt").asInt()).isEqualTo(8);
        assertThat(document.at("/rollout/temperature").asDouble()).isEqualTo(0.25);
    }

    private int longest(@Nullable Integer maxTokens, List<String> settings) {
        return document(null, maxTokens, settings)
                .at("/rollout/maxResponseTokens")
                .asInt();
    }

    private ObjectNode document(@Nullable Path request, @Nullable Integer maxTokens, List<String> settings) {
        var sampling = new EvalRequest.Sampling(null, maxTokens, null, null);
        return new EvalRequest(MODEL, request, List.of(prompts), sampling, settings).document();
    }
}
