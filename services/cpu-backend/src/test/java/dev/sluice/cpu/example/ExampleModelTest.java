package dev.sluice.cpu.example;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.Weights;
import dev.sluice.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Looks at the example that is in the repository, as its users do. */
class ExampleModelTest {
    private static final Path EXAMPLE = Path.of(System.getProperty("sluice.root"), "deploy/examples/tiny");

    private final CharacterTokenizer characters = new CharacterTokenizer();

    @Test
    void theModelDirectoryHasNoProblem() {
        assertThat(HuggingFaceCheckpoint.problems(EXAMPLE.resolve("model"))).isEmpty();
    }

    @Test
    void huggingFaceTokenizersReadsItsCharacters() throws IOException {
        try (Tokenizer tokenizer = Tokenizer.open(EXAMPLE.resolve("model"))) {
            int[] ids = tokenizer.encode("s314159=");

            assertThat(ids).isEqualTo(characters.encode("s314159="));
            assertThat(tokenizer.decode(ids, false)).isEqualTo("s314159=");
            assertThat(tokenizer.vocabularySize()).isEqualTo(64);
            assertThat(tokenizer.endOfSequenceIds()).containsExactly(CharacterTokenizer.END);
        }
    }

    @Test
    void everyLabelIsThePromptSortedAndNoPromptIsInBothFiles() throws IOException {
        List<SortingTask.Row> prompts = rows("prompts.jsonl");
        List<SortingTask.Row> heldOut = rows("heldout.jsonl");

        List<SortingTask.Row> all = new ArrayList<>(prompts);
        all.addAll(heldOut);

        assertThat(prompts).hasSize(4096);
        assertThat(heldOut).hasSize(256);
        Set<String> different = new HashSet<>();
        all.forEach(row -> different.add(row.prompt()));
        assertThat(different).hasSize(4096 + 256);
        assertThat(all).allSatisfy(row -> {
            String sorted = row.prompt()
                    .substring(1, 7)
                    .chars()
                    .sorted()
                    .mapToObj(Character::toString)
                    .reduce("", String::concat);
            assertThat(row.label()).isEqualTo(sorted);
        });
    }

    @Test
    void theModelIsRightAboutThreeTimesInTen() throws IOException {
        Tensors.useOneThread();
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(EXAMPLE.resolve("model"));
                Weights weights = Weights.load(checkpoint);
                Model model = new Model(weights)) {
            Measure measure = new Measure(model, characters, new SplittableRandom(1));

            double share = measure.shareRight(rows("heldout.jsonl"), 4);

            // Enough right answers to learn from, enough wrong ones to have something to learn.
            assertThat(share).isCloseTo(0.30, within(0.06));
        }
    }

    private static List<SortingTask.Row> rows(String file) throws IOException {
        ObjectMapper json = new ObjectMapper();
        List<SortingTask.Row> rows = new ArrayList<>();
        for (String line : Files.readAllLines(EXAMPLE.resolve(file))) {
            JsonNode row = json.readTree(line);
            rows.add(new SortingTask.Row(
                    row.path("prompt").asText(), row.path("label").asText()));
        }
        return rows;
    }
}
