package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kills conversions with SIGKILL, as the kernel does when memory runs out. */
class KilledConversionTest {
    private static final int KILLS = 6;

    /** Somewhat longer than a slowed conversion takes. */
    private static final int LONGEST_LIFE_MILLIS = 900;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"torch_dist", "hugging_face"})
    void goesOnWhereverItWasKilledAndEndsWithTheSameBytes(String format) throws Exception {
        System.out.println("seed " + seed);
        // Given
        Path source = format.equals("torch_dist") ? Fixtures.HUGGING_FACE : Fixtures.TORCH_DIST_016;
        Path uninterrupted = folder.resolve("uninterrupted");
        assertThat(finish(ConversionProcess.start(format, source, uninterrupted)))
                .isEqualTo("begins");
        Path out = folder.resolve("out");

        // When
        for (int i = 0; i < KILLS && !Files.exists(out); i++) {
            kill(ConversionProcess.start(format, source, out), random.nextInt(LONGEST_LIFE_MILLIS));
            // Then nobody takes for a checkpoint what is not one
            assertThat(Files.exists(out) ? CopiedFiles.content(out) : CopiedFiles.content(uninterrupted))
                    .as("seed %d, kill %d", seed, i)
                    .isEqualTo(CopiedFiles.content(uninterrupted));
        }
        if (!Files.exists(out)) {
            finish(ConversionProcess.start(format, source, out));
        }

        // Then
        assertThat(CopiedFiles.content(out)).as("seed %d", seed).isEqualTo(CopiedFiles.content(uninterrupted));
    }

    @ParameterizedTest
    @ValueSource(strings = {"torch_dist", "hugging_face"})
    void copiesNothingAgainThatWasFinished(String format) throws Exception {
        // Given a conversion that died in the middle
        Path source = format.equals("torch_dist") ? Fixtures.HUGGING_FACE : Fixtures.TORCH_DIST_016;
        Path out = folder.resolve("out");
        Process first = ConversionProcess.start(format, source, out);
        awaitJournal(10);
        first.destroyForcibly().waitFor();
        assertThat(out).doesNotExist();

        // When
        String said = finish(ConversionProcess.start(format, source, out));

        // Then
        assertThat(said).contains("resumed at ");
        assertThat(Long.parseLong(said.replaceAll("(?s).*resumed at (\\d+) of.*", "$1")))
                .isGreaterThanOrEqualTo(10 * 8_000);
        Manifest.verify(out);
        try (var left = Files.list(folder)) {
            assertThat(left).containsExactly(out);
        }
    }

    private void awaitJournal(int lines) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (System.nanoTime() < deadline) {
            try (var listed = Files.walk(folder)) {
                var journal = listed.filter(path -> path.endsWith("journal")).findFirst();
                if (journal.isPresent() && Files.readAllLines(journal.get()).size() > lines) {
                    return;
                }
            } catch (java.io.UncheckedIOException e) {
                // A file went while the directory was walked.
            }
            Thread.onSpinWait();
        }
        throw new AssertionError("no journal of " + lines + " lines");
    }

    private static void kill(Process process, int lifeMillis) throws Exception {
        try (BufferedReader output = process.inputReader()) {
            assertThat(output.readLine()).isEqualTo("begins");
            process.waitFor(lifeMillis, TimeUnit.MILLISECONDS);
            process.destroyForcibly().waitFor();
        }
    }

    private static String finish(Process process) throws IOException, InterruptedException {
        try (BufferedReader output = process.inputReader()) {
            String said = output.lines().collect(Collectors.joining("\n"));
            assertThat(process.waitFor()).as(said).isZero();
            return said;
        }
    }
}
