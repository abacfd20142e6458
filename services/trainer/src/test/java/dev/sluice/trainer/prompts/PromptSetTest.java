package dev.sluice.trainer.prompts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.data.PromptRow;
import dev.sluice.events.GroupTask;
import dev.sluice.events.GroupTask.Message;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.BadRows;
import dev.sluice.trainer.Requests;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Lengths are in tokens of common/text's small models: the character model has one a character, the Qwen3 model's golden
 * conversation "one question" has 33 for "What is 2+2?".
 */
class PromptSetTest {
    private static final Path TEXT =
            Path.of(System.getProperty("sluice.root")).resolve("common/text/src/test/resources");
    private static final Path CHARACTERS = TEXT.resolve("character-model");
    private static final Path QWEN = TEXT.resolve("chat/qwen3");

    private static final int MODEL_TOKENS = 512;

    @TempDir
    Path folder;

    private static PromptSet training(TrainingRequest request) {
        return PromptSet.training(request, MODEL_TOKENS);
    }

    @Test
    void plainPromptsStandAsTheyAre() throws IOException {
        PromptSet set = training(request(CHARACTERS, false, 0, BadRows.REFUSE, row("\"1+1=\"")));

        assertThat(set.prompt(0)).isEqualTo(GroupTask.Prompt.of("1+1="));
    }

    @Test
    void promptsAboveTheLimitAreLeftOutAndTheOthersKeepTheirOrder() throws IOException {
        PromptSet set = training(
                request(CHARACTERS, false, 4, BadRows.REFUSE, row("\"1+1=\""), row("\"12+34=\""), row("\"2+2=\"")));

        assertThat(set.rows()).extracting(PromptRow::line).containsExactly(1, 3);
    }

    @Test
    void aLimitThatLeavesNothingSaysWhichWouldDo() {
        assertThatThrownBy(() ->
                        training(request(CHARACTERS, false, 2, BadRows.REFUSE, row("\"1+1=\""), row("\"12+34=\""))))
                .isInstanceOf(TrainingRefusedException.class)
                .hasMessageContaining("all 2 prompts of")
                .hasMessageContaining("more tokens than data.maxPromptTokens 2; set it to 6 to use them all");
    }

    @Test
    void heldOutPromptsAreMeasuredHoweverLong() throws IOException {
        TrainingRequest request = request(CHARACTERS, false, 2, BadRows.REFUSE, row("\"1+1=\""), row("\"12+34=\""));

        assertThat(PromptSet.heldOut(request.data().prompts(), request, MODEL_TOKENS)
                        .rows())
                .hasSize(2);
    }

    @Test
    void aTextBecomesAUsersMessageWithToolsAndArguments() throws IOException {
        PromptSet set = training(request(
                QWEN,
                true,
                0,
                BadRows.REFUSE,
                "{\"prompt\": \"Hi\", \"label\": 1, \"functions\": [{\"name\": \"f\"}]}"));

        assertThat(set.prompt(0))
                .isEqualTo(new GroupTask.Prompt(
                        null,
                        List.of(Message.of("user", "Hi")),
                        "[{\"name\":\"f\"}]",
                        Map.of("enable_thinking", "false")));
    }

    @Test
    void theLimitCountsTheTemplateToo() throws IOException {
        // "Hi" is 2 tokens at most; the template puts special tokens and role names around it.
        assertThatThrownBy(() -> training(request(QWEN, true, 3, BadRows.REFUSE, row("\"Hi\""))))
                .hasMessageContaining("more tokens than data.maxPromptTokens 3");
        assertThat(training(request(QWEN, true, 60, BadRows.REFUSE, row("\"Hi\"")))
                        .rows())
                .hasSize(1);
    }

    /** Qwen3's template adds a text to the content; a list of parts is none (transformers raises a TypeError there). */
    @Test
    void rowsThatTheTemplateRefusesAreBrokenRows() throws IOException {
        String parts = row("[{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"x\"}]}]");

        assertThatThrownBy(() -> training(request(QWEN, true, 0, BadRows.REFUSE, row("\"Hi\""), parts)))
                .isInstanceOf(TrainingRefusedException.class)
                .hasMessageContaining("1 of 2 prompts of")
                .hasMessageContaining("the first is line 2: line ")
                .hasMessageEndingWith("mend them or set data.badRows to skip");
        assertThat(training(request(QWEN, true, 0, BadRows.SKIP, row("\"Hi\""), parts))
                        .rows())
                .extracting(PromptRow::line)
                .containsExactly(1);
    }

    @Test
    void conversationsNeedTheTemplateAndTheTemplateAModelThatHasIt() {
        String talk = row("[{\"role\": \"user\", \"content\": \"x\"}]");

        assertThatThrownBy(() -> training(request(QWEN, false, 0, BadRows.REFUSE, talk)))
                .hasMessageContaining("has 1 prompts that are lists of messages; set data.applyChatTemplate to true");
        assertThatThrownBy(() -> training(request(CHARACTERS, true, 0, BadRows.REFUSE, talk)))
                .isInstanceOf(TrainingRefusedException.class)
                .hasMessageContaining("has no chat template");
    }

    private static String row(String prompt) {
        return "{\"prompt\": %s, \"label\": \"1\"}".formatted(prompt);
    }

    private TrainingRequest request(Path model, boolean template, int maximumTokens, BadRows badRows, String... rows)
            throws IOException {
        Path prompts = Files.write(folder.resolve("prompts.jsonl"), Arrays.asList(rows));
        return Requests.with(Map.ofEntries(
                Map.entry("model.path", model.toString()),
                Map.entry("data.prompts", prompts.toString()),
                Map.entry("data.applyChatTemplate", template),
                Map.entry("data.shuffle", false),
                Map.entry("data.maxPromptTokens", maximumTokens),
                Map.entry("data.badRows", badRows),
                Map.entry("data.toolKey", "functions"),
                Map.entry("data.chatTemplateArguments", Map.of("enable_thinking", "false"))));
    }
}
