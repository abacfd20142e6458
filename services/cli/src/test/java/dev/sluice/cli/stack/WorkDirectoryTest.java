package dev.sluice.cli.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkDirectoryTest {
    @TempDir
    private Path directory;

    @Test
    void isTakenByOneStackAtATimeAndSaysByWhom() throws IOException {
        try (WorkDirectory taken = WorkDirectory.take(directory)) {
            assertThatThrownBy(() -> WorkDirectory.take(directory))
                    .isInstanceOf(CommandFailure.class)
                    .hasMessageContaining(taken.path().toString())
                    .hasMessageContaining("process " + ProcessHandle.current().pid())
                    .hasMessageContaining("--work-dir");
        }
    }

    @Test
    void canBeTakenAgainAfterwards() throws IOException {
        WorkDirectory.take(directory).close();

        try (WorkDirectory again = WorkDirectory.take(directory)) {
            assertThat(again.data()).isEqualTo(directory.resolve("data"));
        }
    }

    @Test
    void aPlaceWhereNothingCanBeWrittenIsAnErrorForAPerson() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "");

        assertThatThrownBy(() -> WorkDirectory.take(file.resolve("below")))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("cannot be used");
    }
}
