package dev.sluice.checkpoint.delta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.ForeignBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@link DeltaFuzz} found worth keeping, without Jazzer's instrumentation. */
class DeltaCorpusTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"xorFrame", "overwriteFrame", "index"})
    void everyKeptInputIsReadOrRefused(String parser) throws IOException {
        DeltaFuzz fuzz = new DeltaFuzz();
        fuzz.folder = folder;
        List<Path> corpus = ForeignBytes.corpus(DeltaFuzz.class, parser);
        assertThat(corpus).isNotEmpty();
        for (Path input : corpus) {
            byte[] bytes = Files.readAllBytes(input);
            try {
                switch (parser) {
                    case "xorFrame" -> fuzz.xorFrame(bytes);
                    case "overwriteFrame" -> fuzz.overwriteFrame(bytes);
                    case "index" -> fuzz.index(bytes);
                    default -> throw new IllegalArgumentException(parser);
                }
            } catch (RuntimeException | Error e) {
                throw new AssertionError(input.toString(), e);
            }
        }
    }
}
