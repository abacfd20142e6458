package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.CheckpointEvent.ConversionProgressed;
import dev.sluice.events.Topics;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(KafkaBroker.class)
class TwoConvertersIT {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    @Test
    void ofTwoProcessesThatWantTheSameModelAtTheSameMomentOneConverts(KafkaBroker kafka) throws Exception {
        String first = kafka.newRunId("two-converters");
        String second = kafka.newRunId("two-converters");
        List<Process> children;
        CheckpointConverted one;
        CheckpointConverted other;
        try (EventLog log = kafka.follow(Topics.CHECKPOINTS)) {
            // Held until both wait, so that they start at the same moment.
            try (TargetLock held = TargetLock.tryAcquire(target(), "test").orElseThrow()) {
                children = List.of(start(kafka, first), start(kafka, second));
                awaitWaiting(log, first);
                awaitWaiting(log, second);
            }
            one = log.await(first, CheckpointConverted.class, any -> true, DEADLINE);
            other = log.await(second, CheckpointConverted.class, any -> true, DEADLINE);
        }

        for (Process child : children) {
            assertThat(child.waitFor()).isZero();
        }
        assertThat(one.torchDist()).isEqualTo(other.torchDist()).isEqualTo(target().toString());
        assertThat(List.of(one.reused(), other.reused())).containsExactlyInAnyOrder(false, true);
    }

    private static void awaitWaiting(EventLog log, String run) {
        String self = "test (process " + ProcessHandle.current().pid() + " on ";
        log.await(
                run,
                ConversionProgressed.class,
                progress ->
                        progress.waitingFor() != null && progress.waitingFor().startsWith(self),
                DEADLINE);
    }

    private Process start(KafkaBroker kafka, String run) throws IOException {
        return ChildJvm.start(
                directory.resolve(run + ".log"),
                ConvertingMain.class,
                kafka.bootstrapServers(),
                "converter-of-" + run,
                run,
                directory.resolve("data").toString(),
                Models.TINY.toString());
    }

    private Path target() throws IOException {
        RememberedHashes hashes = new RememberedHashes(directory.resolve("hashes"), Duration.ZERO, 1);
        ContentKey key = ContentKey.of(Models.TINY, hashes, (read, total) -> {});
        return directory.resolve("data/checkpoints").resolve(key.sha256());
    }
}
