package dev.sluice.trainer.prompts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.domain.data.PromptRow;
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

/** The character model has a token a character, so that its lessons are counted by hand. */
class LessonsTest {
    private static final Path TEXT = Path.of("../../common/text/src/test/resources");
    private static final Path CHARACTERS = TEXT.resolve("character-model");
    private static final Path QWEN = TEXT.resolve("chat/qwen3");

    @TempDir
    Path folder;

    @Test
    void aTextWithItsLabelIsLearntUpToTheTokenThatEndsASequence() throws IOException {
        TrainingRequest request = request(CHARACTERS, false, "{\"prompt\": \"1+1=\", \"label\": \"2\"}");

        Lessons.Lesson lesson = lesson(request);

        assertThat(lesson.promptTokens()).isEqualTo(4);
        assertThat(lesson.tokens()).hasSize(6);
        assertThat(lesson.mask()).containsExactly(0, 0, 0, 0, 1, 1);
    }

    @Test
    void aTextWithItsLabelIsAConversationWhereTheChatTemplateIsApplied() throws IOException {
        TrainingRequest asText = request(QWEN, true, "{\"prompt\": \"Hi\", \"label\": \"Hello\"}");
        Lessons.Lesson text = lesson(asText);
        TrainingRequest asTalk = request(
                QWEN,
                true,
                "{\"prompt\": [{\"role\": \"user\", \"content\": \"Hi\"}, {\"role\": \"assistant\", \"content\": \"Hello\"}]}");

        assertThat(lesson(asTalk)).usingRecursiveComparison().isEqualTo(text);
    }

    @Test
    void rowsThatTeachNothingAreBrokenRows() throws IOException {
        TrainingRequest request = request(
                QWEN,
                true,
                "{\"prompt\": \"Hi\", \"label\": \"Hello\"}",
                "{\"prompt\": [{\"role\": \"user\", \"content\": \"Hi\"}]}",
                "{\"prompt\": \"Hi\"}");

        assertThatThrownBy(() -> PromptSet.training(request, 512))
                .isInstanceOf(TrainingRefusedException.class)
                .hasMessageContaining("2 of 3 prompts of")
                .hasMessageContaining("the first is line 2: there is no message of the assistant to learn from");
    }

    @Test
    void aRowLongerThanTheModelTakesSaysSo() throws IOException {
        TrainingRequest request = request(CHARACTERS, false, "{\"prompt\": \"1+1=\", \"label\": \"2\"}");

        assertThatThrownBy(() -> PromptSet.training(request, 5))
                .hasMessageContaining("line 1: its 6 tokens are more than the 5 that the model takes");
    }

    private static Lessons.Lesson lesson(TrainingRequest request) {
        List<PromptRow> rows = PromptSet.training(request, 512).rows();
        try (Lessons lessons = Lessons.open(request, 512)) {
            return lessons.lesson(rows.getFirst());
        }
    }

    private TrainingRequest request(Path model, boolean template, String... rows) throws IOException {
        Path prompts = Files.write(folder.resolve("prompts.jsonl"), Arrays.asList(rows));
        return Requests.with(Map.of(
                "algorithm.name",
                "sft",
                "model.path",
                model.toString(),
                "data.prompts",
                prompts.toString(),
                "data.applyChatTemplate",
                template,
                "data.badRows",
                BadRows.REFUSE));
    }
}
