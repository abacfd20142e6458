package dev.sluice.converter;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.Conversion;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.converter.ConverterFigures.Outcome;
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
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Converts a planned run's model into the cache and exports a run's last cut. Both may be asked for twice (work is
 * delivered at least once) and by several processes at once, and then find what is there.
 */
@ApplicationScoped
public class Conversions {
    private static final Logger LOG = LoggerFactory.getLogger(Conversions.class);

    private final Roots roots;
    private final ConversionCache cache;
    private final EventPublisher publisher;
    private final ConverterFigures figures;

    Conversions(Roots roots, ConversionCache cache, EventPublisher publisher, ConverterFigures figures) {
        this.roots = roots;
        this.cache = cache;
        this.publisher = publisher;
        this.figures = figures;
    }

    /** Converts the model of a planned run and publishes the outcome. */
    void convert(RunPlanned planned, UUID causation) {
        String source = planned.request().model().path();
        Job job = new Job(planned.runId(), Direction.TO_TORCH_DIST, source, causation, List.of(source));
        run(job, (started, progress) -> {
            ContentKey key = cache.keyOf(Path.of(source), progress);
            Product product = cache.product(key, progress);
            try (TargetLock held = cache.lock(product.directory(), progress::waitingFor)) {
                boolean reused = isConverted(product);
                if (!reused) {
                    make(key, product, progress);
                }
                product.used();
                return converted(planned.runId(), source, product.directory(), secondsSince(started), reused);
            }
        });
    }

    private boolean isConverted(Product product) throws IOException {
        return switch (product.look()) {
            case Product.Found.Nothing nothing -> false;
            case Product.Found.Intact intact -> true;
            case Product.Found.Damaged damaged -> {
                figures.foundDamaged();
                LOG.warn(
                        "a conversion is damaged and made anew path={} error={}",
                        product.directory(),
                        String.join("; ", damaged.problems()));
                product.discard();
                yield false;
            }
        };
    }

    private void make(ContentKey key, Product product, ProgressEvents progress) throws IOException {
        Files.deleteIfExists(Listing.fileOf(product.directory()));
        Conversion.Result result = Conversion.toTorchDist(key.directory(), product.directory(), progress);
        try {
            key.checkUnchanged();
        } catch (CheckpointException e) {
            product.discard();
            throw e;
        }
        product.finish(key.directory().toString(), List.of());
        figures.wrote(result.bytes());
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
        String source = cut.directory();
        Job job = new Job(cut.runId(), Direction.TO_HUGGING_FACE, source, causation, List.of(source, modelPath));
        run(job, (started, progress) -> {
            Product product = cache.export(cut.runId(), progress);
            try (TargetLock held = cache.lock(product.directory(), progress::waitingFor)) {
                Listing listing = exported(cut, Path.of(modelPath), product, progress);
                return new CheckpointExported(
                        cut.runId(),
                        cut.step(),
                        source,
                        product.directory().toString(),
                        listing.carriedOver(),
                        secondsSince(started));
            }
        });
    }

    private Listing exported(CheckpointSaved cut, Path model, Product product, ProgressEvents progress)
            throws IOException {
        String origin = "%s manifest %s".formatted(cut.directory(), cut.manifestSha256());
        Product.Found found = product.look();
        if (found instanceof Product.Found.Intact intact
                && intact.listing().source().equals(origin)) {
            return intact.listing();
        }
        if (!(found instanceof Product.Found.Nothing)) {
            // Somebody may need it and the cut it came from may be gone, so it is not deleted.
            LOG.warn(
                    "the export that was there is of another cut or damaged and kept aside runId={} path={} found={}",
                    cut.runId(),
                    product.setAside(),
                    found);
        }
        Conversion.Result result =
                Conversion.toHuggingFace(Path.of(cut.directory()), model, product.directory(), progress);
        figures.wrote(result.bytes());
        return product.finish(origin, result.carriedOver());
    }

    private void run(Job job, Work work) {
        long started = System.nanoTime();
        CheckpointEvent outcome;
        try {
            job.paths.forEach(path -> roots.objection(path).ifPresent(objection -> {
                throw new CheckpointException(objection);
            }));
            long bytes = bytesIn(Path.of(job.source));
            publisher.publishAndWait(new ConversionStarted(job.runId, job.direction, job.source, bytes), job.causation);
            outcome = work.run(started, new ProgressEvents(publisher, job.runId, job.direction, bytes));
        } catch (CheckpointException | IOException | UncheckedIOException e) {
            LOG.warn("conversion failed runId={} source={} error={}", job.runId, job.source, e.getMessage());
            outcome = new ConversionFailed(job.runId, job.direction, job.source, reason(e));
        }
        publisher.publishAndWait(outcome, job.causation);
        figures.ended(job.direction, outcomeOf(outcome), Duration.ofNanos(System.nanoTime() - started));
        LOG.info("{} runId={} source={}", outcome.getClass().getSimpleName(), job.runId, job.source);
    }

    /** The message of a bare IOException is often only a path. */
    private static String reason(Exception e) {
        return e instanceof CheckpointException ? String.valueOf(e.getMessage()) : e.toString();
    }

    private static Outcome outcomeOf(CheckpointEvent event) {
        if (event instanceof ConversionFailed) {
            return Outcome.FAILED;
        }
        return event instanceof CheckpointConverted converted && converted.reused()
                ? Outcome.REUSED
                : Outcome.CONVERTED;
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

    /** @param paths everything that comes from outside and must lie below the configured roots */
    private record Job(String runId, Direction direction, String source, UUID causation, List<String> paths) {}

    @FunctionalInterface
    private interface Work {
        CheckpointEvent run(long startedNanos, ProgressEvents progress) throws IOException;
    }
}
