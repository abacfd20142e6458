package dev.sluice.converter;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.Conversion;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.events.CheckpointEvent;
import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.CheckpointEvent.CheckpointExported;
import dev.sluice.events.CheckpointEvent.ConversionFailed;
import dev.sluice.events.CheckpointEvent.ConversionStarted;
import dev.sluice.events.CheckpointEvent.Direction;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.quarkus.Roots;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Converts a planned run's model into the cache and exports a run's last cut. Both may be asked for twice (work is
 * delivered at least once) and then find what is there.
 */
@ApplicationScoped
public class Conversions {
    private static final Logger LOG = LoggerFactory.getLogger(Conversions.class);

    private final Roots roots;
    private final EventPublisher publisher;

    Conversions(Roots roots, EventPublisher publisher) {
        this.roots = roots;
        this.publisher = publisher;
    }

    /** Converts the model of a planned run and publishes the outcome. */
    void convert(RunPlanned planned, UUID causation) {
        String source = planned.request().model().path();
        publish(planned.runId(), Direction.TO_TORCH_DIST, source, causation, started -> {
            Path out = roots.dataRoot().resolve("checkpoints").resolve(ContentKey.of(Path.of(source)));
            return exclusively(out, () -> {
                boolean reused = Files.exists(out);
                if (!reused) {
                    var progress = new ProgressEvents(publisher, planned.runId(), Direction.TO_TORCH_DIST);
                    Conversion.toTorchDist(Path.of(source), out, progress);
                }
                return converted(planned.runId(), source, out, secondsSince(started), reused);
            });
        });
    }

    private static CheckpointConverted converted(
            String runId, String source, Path out, double seconds, boolean reused) {
        try (HuggingFaceCheckpoint model = HuggingFaceCheckpoint.open(Path.of(source))) {
            long bytes = model.tensors().values().stream()
                    .mapToLong(TensorEntry::bytes)
                    .sum();
            return new CheckpointConverted(
                    runId, source, out.toString(), model.tensors().size(), bytes, seconds, reused);
        }
    }

    /** Exports a run's last cut to its export directory and publishes the outcome. */
    void export(CheckpointSaved cut, String modelPath, UUID causation) {
        publish(cut.runId(), Direction.TO_HUGGING_FACE, cut.directory(), causation, started -> {
            Path out = roots.run(cut.runId()).resolve("export");
            return exclusively(out, () -> {
                var progress = new ProgressEvents(publisher, cut.runId(), Direction.TO_HUGGING_FACE);
                List<String> carriedOver = Files.exists(out)
                        ? List.of()
                        : Conversion.toHuggingFace(Path.of(cut.directory()), Path.of(modelPath), out, progress)
                                .carriedOver();
                return new CheckpointExported(
                        cut.runId(), cut.step(), cut.directory(), out.toString(), carriedOver, secondsSince(started));
            });
        });
    }

    private void publish(String runId, Direction direction, String source, UUID causation, Work work) {
        long started = System.nanoTime();
        CheckpointEvent outcome;
        try {
            roots.objection(source).ifPresent(objection -> {
                throw new CheckpointException(objection);
            });
            publisher.publishAndWait(
                    new ConversionStarted(runId, direction, source, bytesIn(Path.of(source))), causation);
            outcome = work.run(started);
        } catch (CheckpointException | IOException e) {
            LOG.warn("conversion failed runId={} source={} error={}", runId, source, e.getMessage());
            outcome = new ConversionFailed(runId, direction, source, String.valueOf(e.getMessage()));
        }
        publisher.publishAndWait(outcome, causation);
        LOG.info("{} runId={} source={}", outcome.getClass().getSimpleName(), runId, source);
    }

    /** One writer a target, even with several converters on the same disk: the others wait and then find it done. */
    private static <T> T exclusively(Path target, Action<T> action) throws IOException {
        Files.createDirectories(target.getParent());
        Path lock = target.resolveSibling(target.getFileName() + ".lock");
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var held = channel.lock()) {
            return action.run();
        }
    }

    private static long bytesIn(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }

    private static double secondsSince(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos).toMillis() / 1000.0;
    }

    @FunctionalInterface
    private interface Work {
        CheckpointEvent run(long startedNanos) throws IOException;
    }

    @FunctionalInterface
    private interface Action<T> {
        T run() throws IOException;
    }
}
