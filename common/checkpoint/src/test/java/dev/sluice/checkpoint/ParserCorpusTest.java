package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@link ParserFuzz} found worth keeping, without Jazzer's instrumentation. */
class ParserCorpusTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "safetensors",
                "shardIndex",
                "config",
                "pickle",
                "metadata",
                "archive",
                "tensor",
                "manifest",
                "journal"
            })
    void everyKeptInputIsReadOrRefused(String parser) throws IOException {
        ParserFuzz fuzz = new ParserFuzz();
        fuzz.folder = folder;
        List<Path> corpus = ForeignBytes.corpus(ParserFuzz.class, parser);
        assertThat(corpus).isNotEmpty();
        for (Path input : corpus) {
            byte[] bytes = Files.readAllBytes(input);
            try {
                read(fuzz, parser, bytes);
            } catch (IOException | RuntimeException | Error e) {
                throw new AssertionError(input.toString(), e);
            }
        }
    }

    private static void read(ParserFuzz fuzz, String parser, byte[] bytes) throws IOException {
        switch (parser) {
            case "safetensors" -> fuzz.safetensors(bytes);
            case "shardIndex" -> fuzz.shardIndex(bytes);
            case "config" -> fuzz.config(bytes);
            case "pickle" -> fuzz.pickle(bytes);
            case "metadata" -> fuzz.metadata(bytes);
            case "archive" -> fuzz.archive(bytes);
            case "tensor" -> fuzz.tensor(bytes);
            case "manifest" -> fuzz.manifest(bytes);
            case "journal" -> fuzz.journal(bytes);
            default -> throw new IllegalArgumentException(parser);
        }
    }
}
