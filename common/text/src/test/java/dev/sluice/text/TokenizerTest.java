package dev.sluice.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The expected ids are read off the vocabulary in {@code character-model/tokenizer.json}. */
class TokenizerTest {
    @TempDir
    Path modelDir;

    private Tokenizer tokenizer;

    @BeforeEach
    void openCharacterModel() throws IOException {
        for (String name : new String[] {"tokenizer.json", "config.json"}) {
            try (var in = TokenizerTest.class.getResourceAsStream("/character-model/" + name)) {
                Files.copy(in, modelDir.resolve(name));
            }
        }
        tokenizer = Tokenizer.open(modelDir);
    }

    @AfterEach
    void closeTokenizer() {
        tokenizer.close();
    }

    @Test
    void aTextBecomesTheIdsOfItsTokensAndBack() {
        int[] ids = tokenizer.encode("12+7=é");

        assertThat(ids).containsExactly(6, 7, 15, 12, 19, 46);
        assertThat(tokenizer.decode(ids, true)).isEqualTo("12+7=é");
    }

    @Test
    void specialTokensAreFoundInTheTextAndAddedOnlyOnRequest() {
        assertThat(tokenizer.encode("<user>1<eos>")).containsExactly(2, 6, 1);
        assertThat(tokenizer.encode("1", false)).containsExactly(6);
        assertThat(tokenizer.encode("1", true)).containsExactly(2, 6);
    }

    @Test
    void decodingKeepsOrSkipsSpecialTokens() {
        assertThat(tokenizer.decode(new int[] {2, 6, 1}, false)).isEqualTo("<user>1<eos>");
        assertThat(tokenizer.decode(new int[] {2, 6, 1}, true)).isEqualTo("1");
    }

    @Test
    void aLongTextIsNeitherCutNorPadded() {
        assertThat(tokenizer.encode("1".repeat(5_000))).hasSize(5_000);
        assertThat(tokenizer.encode("")).isEmpty();
    }

    @Test
    void theVocabularyAnswersForItsTokens() {
        assertThat(tokenizer.vocabularySize()).isEqualTo(47);
        assertThat(tokenizer.idOf("<eos>")).hasValue(1);
        assertThat(tokenizer.idOf("é")).hasValue(46);
        assertThat(tokenizer.idOf("no such token")).isEmpty();
    }

    @Test
    void idsOfPaddedEmbeddingRowsDecodeToNothingAndNegativeOnesAreRefused() {
        assertThat(tokenizer.decode(new int[] {6, 60}, true)).isEqualTo("1");
        assertThatThrownBy(() -> tokenizer.decode(new int[] {6, -1}, true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("Token 1 of 2 has the id -1; ids are 0 to 46.");
    }

    @Test
    void halfOfASurrogatePairDoesNotBreakTheLibrary() {
        assertThat(tokenizer.encode("1\ud83d2")).startsWith(6).endsWith(7);
    }

    @Test
    void theGenerationConfigurationDecidesWhichTokensEndASequence() throws IOException {
        assertThat(tokenizer.endOfSequenceIds()).containsExactly(1);

        Files.writeString(modelDir.resolve("generation_config.json"), "{\"eos_token_id\": [2, 1, 2]}");

        try (Tokenizer withGenerationConfig = Tokenizer.open(modelDir)) {
            assertThat(withGenerationConfig.endOfSequenceIds()).containsExactly(1, 2);
        }
    }

    @Test
    void unigramVocabulariesCountByPosition() throws IOException {
        Path file = modelDir.resolve("tokenizer.json");
        Files.writeString(
                file,
                "{\"model\": {\"type\": \"Unigram\", \"unk_id\": 0, \"vocab\": [[\"<unk>\", 0.0], [\"a\", -1.5]]}}");

        Vocabulary vocabulary = Vocabulary.read(new ModelFile(file, Files.readAllBytes(file)));

        assertThat(vocabulary.size()).isEqualTo(2);
        assertThat(vocabulary.ids()).containsEntry("a", 1);
    }

    @Test
    void manyThreadsShareOneTokenizer() throws Exception {
        Callable<String> roundTrip = () -> tokenizer.decode(tokenizer.encode("12+34=46"), true);
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            var results = threads.invokeAll(
                    IntStream.range(0, 200).mapToObj(i -> roundTrip).toList());
            for (var result : results) {
                assertThat(result.get()).isEqualTo("12+34=46");
            }
        }
    }

    @Test
    void aMissingFileIsNamedWithWhatToDo() throws IOException {
        Files.delete(modelDir.resolve("tokenizer.json"));

        assertThatThrownBy(() -> Tokenizer.open(modelDir))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("has no tokenizer.json; copy it from the model's page");
        assertThatThrownBy(() -> Tokenizer.open(modelDir.resolve("absent")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("There is no model directory");
    }

    @Test
    void aBrokenFileIsNamed() throws IOException {
        for (String broken : new String[] {"[]", "{\"model\": {\"vocab\": {\"a\": -1}}}", "{\"model\": ", "{}"}) {
            Files.writeString(modelDir.resolve("tokenizer.json"), broken, UTF_8);

            assertThatThrownBy(() -> Tokenizer.open(modelDir))
                    .as(broken)
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith(modelDir.resolve("tokenizer.json").toString());
        }
    }

    @Test
    void aFileBeyondItsBoundIsRefused() throws IOException {
        Path file = modelDir.resolve("config.json");

        assertThatThrownBy(() -> ModelFile.read(modelDir, "config.json", 8, ""))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(file + " is larger than 8 bytes");
    }

    @Test
    void aTextBeyondTheBoundIsRefused() {
        assertThatThrownBy(() -> tokenizer.encode(" ".repeat(Tokenizer.MAXIMUM_TEXT_CHARACTERS + 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("split it");
    }

    @Test
    void aClosedTokenizerSaysSo() {
        tokenizer.close();

        assertThatThrownBy(() -> tokenizer.encode("1"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }
}
