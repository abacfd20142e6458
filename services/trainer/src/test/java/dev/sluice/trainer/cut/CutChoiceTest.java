package dev.sluice.trainer.cut;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.Manifest;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CutChoiceTest {
    @TempDir
    Path folder;

    private CheckpointSaved newer;
    private CheckpointSaved older;

    @BeforeEach
    void twoCuts() throws IOException {
        newer = cut(20);
        older = cut(10);
    }

    @Test
    void takesTheNewest() {
        assertThat(CutChoice.newestSound(List.of(newer, older), "data")).contains(newer);
    }

    @Test
    void takesAnOlderOneWhereAFileIsDamaged() throws IOException {
        Files.writeString(Path.of(newer.directory(), "weights"), "damaged");

        assertThat(CutChoice.newestSound(List.of(newer, older), "data")).contains(older);
    }

    @Test
    void refusesToGoOnWhereNoCutIsWhatItsEventSays() throws IOException {
        Files.writeString(Path.of(newer.directory(), "weights"), "other content");
        Files.delete(Path.of(newer.directory(), Manifest.FILE));
        Manifest.write(Path.of(newer.directory()));

        assertThatThrownBy(() -> CutChoice.newestSound(List.of(newer), "data"))
                .isInstanceOf(TrainingRefusedException.class)
                .hasMessageContaining("no cut of")
                .hasMessageContaining(newer.directory());
    }

    @Test
    void aRunWithoutCutsBeginsAtTheBeginning() {
        assertThat(CutChoice.newestSound(List.of(), "data")).isEmpty();
    }

    @Test
    void refusesToGoOnWithOtherPrompts() {
        assertThatThrownBy(() -> CutChoice.newestSound(List.of(newer), "other data"))
                .isInstanceOf(TrainingRefusedException.class)
                .hasMessageContaining("step 20")
                .hasMessageContaining("start a new run");
    }

    private CheckpointSaved cut(int step) throws IOException {
        Path directory = Files.createDirectory(folder.resolve("cut-" + step));
        Files.writeString(directory.resolve("weights"), "step " + step);
        String manifest = Manifest.write(directory);
        return new CheckpointSaved(
                "run", 1, step, step, step, directory.toString(), manifest, false, 0, 0, List.of(), 0, 0, "data");
    }
}
