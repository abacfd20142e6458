package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.Manifest;
import dev.sluice.workerapi.BatchFile;
import dev.sluice.workerapi.FilesWritten;
import dev.sluice.workerapi.LoadRequest;
import dev.sluice.workerapi.LossConfig;
import dev.sluice.workerapi.ModelRole;
import dev.sluice.workerapi.SaveRequest;
import dev.sluice.workerapi.TrainRequest;
import dev.sluice.workerapi.TrainResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Cuts that are written while the worker trains, and the hash that says that weights are the same. */
class CutFilesTest extends RunningWorker {
    @Test
    void theHashOfWeightsIsAnotherAfterEveryStepAndTheSameForTheSameSteps() {
        String source = worker.load(load(null), DEADLINE).weightsSha256();
        String first = train(1).weightsSha256();
        String second = train(2).weightsSha256();

        String sourceAgain = worker.load(load(null), DEADLINE).weightsSha256();
        String firstAgain = train(1).weightsSha256();

        assertThat(source).matches("[0-9a-f]{64}");
        assertThat(first).isNotEqualTo(source).isNotEqualTo(second);
        assertThat(sourceAgain).isEqualTo(source);
        assertThat(firstAgain).isEqualTo(first);
    }

    @Test
    void aCutThatIsWrittenBesideTrainingHoldsTheWeightsOfItsOwnStep() throws IOException {
        worker.load(load(null), DEADLINE);
        String first = train(1).weightsSha256();
        FilesWritten atOnce = worker.save(new SaveRequest(0, "save", path("at-once")), DEADLINE);
        SaveRequest request = new SaveRequest(0, "save-beside", path("beside"), true);

        worker.beginSave(request, DEADLINE);
        String second = train(2).weightsSha256();
        FilesWritten beside = Awaitility.await()
                .atMost(DEADLINE)
                .until(() -> worker.saved(request, DEADLINE), Optional::isPresent)
                .orElseThrow();

        assertThat(Manifest.verify(Path.of(beside.dir()))).isEqualTo(beside.manifestSha256());
        assertThat(beside.bytes()).isEqualTo(atOnce.bytes());
        assertThat(worker.load(load(beside.dir()), DEADLINE).weightsSha256()).isEqualTo(first);
        assertThat(train(2).weightsSha256()).isEqualTo(second);
    }

    private TrainResult train(int step) {
        Path batch = root.resolve("batch-" + step);
        BatchFile.write(batch, Batches.of(RUN, step, 2));
        String id = "train-" + step + "-" + System.nanoTime();
        return worker.train(
                new TrainRequest(0, id, step, batch.toString(), ModelRole.POLICY, LossConfig.grpo(1e-3, 0.2)),
                DEADLINE);
    }

    private LoadRequest load(@Nullable String cut) {
        LoadRequest fresh =
                LoadRequest.policy(0, "load-" + System.nanoTime(), RUN, path("release"), hugging.toString());
        return cut == null ? fresh : fresh.resumingFrom(cut);
    }
}
