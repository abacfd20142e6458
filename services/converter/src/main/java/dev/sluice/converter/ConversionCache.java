package dev.sluice.converter;

import dev.sluice.quarkus.Instance;
import dev.sluice.quarkus.Roots;
import io.quarkus.runtime.configuration.MemorySize;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where converted models lie, one directory a content, and which of them are kept. */
@ApplicationScoped
public class ConversionCache {
    private static final Logger LOG = LoggerFactory.getLogger(ConversionCache.class);
    private static final Pattern KEY = Pattern.compile("[0-9a-f]{64}");
    private static final Duration CLOCK_TICK = Duration.ofSeconds(3);
    private static final Duration LOOK_INTERVAL = Duration.ofSeconds(1);

    private final Path checkpoints;
    private final Path runs;
    private final String instance;
    private final ConverterConfig config;
    private final ConverterFigures figures;

    @Inject
    ConversionCache(Roots roots, Instance instance, ConverterConfig config, ConverterFigures figures) {
        this(roots, instance.id(), config, figures);
    }

    ConversionCache(Roots roots, String instance, ConverterConfig config, ConverterFigures figures) {
        this.checkpoints = roots.dataRoot().resolve("checkpoints");
        this.runs = roots.dataRoot().resolve("runs");
        this.instance = instance;
        this.config = config;
        this.figures = figures;
    }

    Product product(ContentKey key, ProgressEvents progress) {
        return product(checkpoints.resolve(key.sha256()), progress::checking);
    }

    Product export(String runId, ProgressEvents progress) {
        return product(runs.resolve(runId).resolve("export"), progress::checking);
    }

    private Product product(Path directory, LongConsumer read) {
        return new Product(directory, config.check(), read);
    }

    /** Keeps all others off a target, waiting for one who has it. */
    TargetLock lock(Path target, Consumer<String> told) throws IOException {
        return TargetLock.acquire(
                target,
                instance,
                new TargetLock.Patience(config.lockDeadline(), LOOK_INTERVAL, "sluice.converter.lock-deadline", told));
    }

    /** Names a model's content. Of several converters that do not know it yet one reads it. */
    ContentKey keyOf(Path huggingFace, ProgressEvents progress) throws IOException {
        var hashes = new RememberedHashes(checkpoints.resolve(".hashes"), CLOCK_TICK, config.hashThreads());
        try (TargetLock held = lock(hashes.fileFor(huggingFace), progress::waitingFor)) {
            long[] before = {0};
            return ContentKey.of(huggingFace, hashes, (read, total) -> {
                synchronized (before) {
                    figures.hashed(Math.max(0, read - before[0]));
                    before[0] = Math.max(read, before[0]);
                }
                progress.hashing(read, total);
            });
        }
    }

    /** Deletes the conversions that nobody uses and that are beyond what is kept. */
    void trim(Predicate<Path> inUse, Instant now) throws IOException {
        long bytes = config.cacheLimit().map(MemorySize::asLongValue).orElse(Long.MAX_VALUE);
        List<Retention.Cached> cached = cached();
        List<Retention.Cached> kept = new ArrayList<>(cached);
        for (Retention.Cached surplus : new Retention(config.keepConversions(), bytes).surplus(cached, inUse, now)) {
            if (delete(surplus, inUse)) {
                kept.remove(surplus);
            }
        }
        figures.cacheHolds(
                kept.size(), kept.stream().mapToLong(Retention.Cached::bytes).sum());
    }

    /** Removes what crashes left behind, here and beside the exports of runs. */
    void sweep(Instant now) throws IOException {
        List<Path> removed = new ArrayList<>(Leftovers.sweep(checkpoints, "", instance, now));
        removed.addAll(Leftovers.sweep(checkpoints.resolve(".hashes"), "", instance, now));
        if (Files.isDirectory(runs)) {
            try (Stream<Path> directories = Files.list(runs)) {
                for (Path run : directories.filter(Files::isDirectory).toList()) {
                    removed.addAll(Leftovers.sweep(run, "export", instance, now));
                }
            }
        }
        removed.forEach(path -> LOG.info("removed what a crash left behind path={}", path));
    }

    /** Takes the lock and looks once more: it may have been handed to a run since it was chosen. */
    private boolean delete(Retention.Cached chosen, Predicate<Path> inUse) throws IOException {
        Optional<TargetLock> lock = TargetLock.tryAcquire(chosen.directory(), instance);
        if (lock.isEmpty()) {
            return false;
        }
        try (TargetLock held = lock.get()) {
            boolean same = Files.isDirectory(chosen.directory())
                    && lastUsed(chosen.directory()).equals(chosen.lastUsed());
            if (!same || inUse.test(chosen.directory())) {
                return false;
            }
            product(chosen.directory(), bytes -> {}).discard();
        }
        figures.deletedOne();
        LOG.info(
                "deleted a conversion that was last used {} and that no run uses path={} bytes={}",
                chosen.lastUsed(),
                chosen.directory(),
                chosen.bytes());
        return true;
    }

    private List<Retention.Cached> cached() throws IOException {
        List<Retention.Cached> cached = new ArrayList<>();
        if (!Files.isDirectory(checkpoints)) {
            return cached;
        }
        try (Stream<Path> entries = Files.list(checkpoints)) {
            for (Path entry : entries.filter(ConversionCache::isConversion).toList()) {
                long bytes = Listing.read(entry).map(Listing::bytes).orElse(0L);
                cached.add(new Retention.Cached(entry, lastUsed(entry), bytes));
            }
        }
        return cached;
    }

    private static boolean isConversion(Path entry) {
        return Files.isDirectory(entry)
                && KEY.matcher(entry.getFileName().toString()).matches();
    }

    private static Instant lastUsed(Path directory) throws IOException {
        return Files.getLastModifiedTime(directory).toInstant();
    }
}
