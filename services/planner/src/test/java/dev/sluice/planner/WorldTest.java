package dev.sluice.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.request.Facts;
import dev.sluice.domain.request.Facts.Purpose;
import dev.sluice.events.EventJson;
import dev.sluice.events.TrainingRequest;
import dev.sluice.quarkus.Roots;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorldTest {
    @TempDir
    Path folder;

    private Inputs inputs;

    @BeforeEach
    void makeInputs() {
        inputs = Inputs.in(folder);
    }

    @Test
    void looksForTheChatTemplateOfARunsModel() throws IOException {
        assertThat(look(Purpose.RUN).model().chatTemplate()).isFalse();
        assertThat(look(Purpose.PLAN).model().chatTemplate()).isTrue();

        Files.writeString(inputs.model().resolve("tokenizer_config.json"), "{\"a\": {}, \"chat_template\": \"x\"}");

        assertThat(look(Purpose.RUN).model().chatTemplate()).isTrue();
    }

    @Test
    void countsConversations() throws IOException {
        Files.writeString(
                inputs.prompts(),
                "{\"prompt\": [{\"role\": \"user\", \"content\": \"x\"}], \"label\": \"1\"}\n{\"prompt\": \"x\", \"label\": \"1\"}\n");

        assertThat(look(Purpose.RUN)
                        .promptFiles()
                        .get(inputs.prompts().toString())
                        .summary()
                        .conversations())
                .isEqualTo(1);
    }

    @Test
    void saysWhyAReferenceCannotBeLoadedToARunAlone() throws IOException {
        Path reference = folder.resolve("reference");

        assertThat(look(Purpose.PLAN).unusable()).isEmpty();
        assertThat(look(Purpose.RUN).unusable())
                .containsEntry(reference.toString(), reference + " is not a directory on the planner's host");

        Files.createDirectories(reference);
        Files.writeString(reference.resolve("config.json"), "{}");

        assertThat(look(Purpose.RUN).unusable().get(reference.toString())).contains("safetensors");
    }

    private Facts look(Purpose purpose) throws IOException {
        TrainingRequest request = EventJson.mapper()
                .readValue(
                        """
                        {"model": {"path": "%s"}, "evaluation": [], "algorithm": {"reference": "%s"},
                         "data": {"prompts": "%s", "promptKey": "prompt", "labelKey": "label", "badRows": "refuse"}}
                        """.formatted(inputs.model(), folder.resolve("reference"), inputs.prompts()),
                        TrainingRequest.class);
        return new World(new Roots(folder, List.of(folder))).look(request, 0, purpose);
    }
}
