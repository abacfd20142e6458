package dev.sluice.trainer.wait;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class RunWaitTest {
    private static final Path README = Path.of(System.getProperty("sluice.root"), "services", "trainer", "README.md");

    @Test
    void theReadmesTableIsThese() throws IOException {
        assertThat(Files.readString(README)).contains(RunWait.table());
    }

    @Test
    void eachHasABoundThatCanBeSet() throws IOException {
        String readme = Files.readString(README);

        assertThat(Arrays.stream(RunWait.values()).map(RunWait::key).filter(key -> key.startsWith("sluice.")))
                .allSatisfy(key -> assertThat(readme).contains("| `" + key + "` | `"));
    }
}
