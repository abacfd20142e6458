package dev.sluice.cli.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.ConversionPreview;
import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.ExitCode;
import dev.sluice.cli.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversionRunTest {
    private static final Path SOURCE =
            Path.of(System.getProperty("sluice.root", "../.."), "common/checkpoint/src/test/fixtures/hf_tiny");

    @TempDir
    private Path folder;

    private final StringWriter written = new StringWriter();

    @Test
    void stoppedByCtrlCItLeavesNothingAndSaysHowToGoOn() {
        // Given
        Copying copying = copying();
        Prospect prospect = Prospect.of(copying);

        // When
        int exitCode;
        try (Interruption interruption = Interruption.watched()) {
            interruption.request();
            exitCode = run().copy(copying, prospect, interruption);
        }

        // Then
        assertThat(exitCode).isEqualTo(ExitCode.INTERRUPTED);
        assertThat(written.toString()).contains("the conversion was stopped", "give the same command again");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void writingThatBreaksOffIsAFailureAndNoUsageError() throws IOException {
        // Given a target that another process takes after the checks
        Copying copying = copying();
        Prospect prospect = Prospect.of(copying);
        Files.createDirectory(folder.resolve("out"));

        // When / Then
        try (Interruption interruption = Interruption.watched()) {
            assertThatThrownBy(() -> run().copy(copying, prospect, interruption))
                    .isInstanceOf(CommandFailure.class)
                    .hasMessageContaining("exists already");
        }
    }

    @Test
    void aDiskThatIsTooSmallIsFoundBeforehand() {
        // Given
        ConversionPreview large =
                new ConversionPreview(9_701, 62_400_000_000L, 62_500_000_000L, List.of(), List.of(), List.of());

        // When
        Prospect prospect = new Prospect(copying(), large, 0, List.of(), 40_000_000_000L);

        // Then
        assertThat(prospect.possible()).isFalse();
        assertThat(prospect.problems())
                .singleElement()
                .asString()
                .contains("needs 62.5 GB, but its disk has 40.0 GB free; free 22.5 GB or choose another disk");
    }

    @Test
    void whatIsWrittenAlreadyNeedsNoMoreRoom() {
        ConversionPreview large =
                new ConversionPreview(9_701, 62_400_000_000L, 62_500_000_000L, List.of(), List.of(), List.of());

        assertThat(new Prospect(copying(), large, 22_500_000_000L, List.of(), 40_000_000_000L).possible())
                .isTrue();
    }

    private Copying copying() {
        return new Copying(ConversionOrder.of(SOURCE, folder.resolve("out"), null, OptionalLong.empty()));
    }

    private ConversionRun run() {
        PrintWriter writer = new PrintWriter(written, true);
        return new ConversionRun(new Terminal(writer, writer, false), false);
    }
}
