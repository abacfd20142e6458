package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.quarkus.Roots;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversionCacheTest {
    private static final Instant NOW = Instant.parse("2026-01-10T00:00:00Z");

    private final SimpleMeterRegistry figures = new SimpleMeterRegistry();

    @TempDir
    Path root;

    private Path checkpoints;
    private ConversionCache cache;

    @BeforeEach
    void openCache() throws IOException {
        checkpoints = Files.createDirectories(root.toRealPath().resolve("checkpoints"));
        cache = new ConversionCache(
                new Roots(root.toRealPath(), List.of()),
                "converter",
                Configs.of(Map.of("sluice.converter.keep-conversions", "1")),
                new ConverterFigures(figures));
    }

    @Test
    void theMostRecentlyUsedIsKeptAndTheFiguresTellWhatIsLeft() throws IOException {
        Path old = conversion('a', 3);
        Path young = conversion('b', 2);

        cache.trim(path -> false, NOW);

        assertThat(old).doesNotExist();
        assertThat(Listing.fileOf(old)).doesNotExist();
        assertThat(young.resolve("weights")).exists();
        assertThat(figures.get("sluice_converter_deleted").counter().count()).isEqualTo(1);
        assertThat(figures.get("sluice_converter_cache_conversions").gauge().value())
                .isEqualTo(1);
        assertThat(figures.get("sluice_converter_cache_bytes").gauge().value()).isEqualTo(6);
    }

    @Test
    void whatIsInUseOrLockedOrNoConversionIsNotDeleted() throws IOException {
        Path used = conversion('a', 3);
        Path locked = conversion('b', 2);
        conversion('c', 1);
        Path foreign = Files.createDirectory(checkpoints.resolve("my-model"));

        try (TargetLock held = TargetLock.tryAcquire(locked, "another").orElseThrow()) {
            cache.trim(used::equals, NOW);
        }

        assertThat(used).exists();
        assertThat(locked).exists();
        assertThat(foreign).exists();
        assertThat(figures.get("sluice_converter_cache_conversions").gauge().value())
                .isEqualTo(2);
    }

    @Test
    void halfDeletedAndAbandonedDirectoriesAreRemoved() throws IOException {
        Path deleted = directory(checkpoints, ".x.deleted-1", Duration.ZERO);
        Path abandoned = directory(checkpoints, ".y.tmp-1", Duration.ofHours(25));
        Path unfinished = directory(checkpoints, ".y.partial-1", Duration.ofHours(25));
        Path file = aged(Files.writeString(checkpoints.resolve(".z.files.json.tmp"), "{"), Duration.ofHours(25));
        Path recent = directory(checkpoints, ".y.tmp-2", Duration.ofHours(23));
        Path run = Files.createDirectories(root.resolve("runs/r1"));
        Path export = directory(run, ".export.tmp-1", Duration.ofHours(25));
        Path others = directory(run, ".cut.tmp-1", Duration.ofHours(25));

        cache.sweep(NOW);

        assertThat(List.of(deleted, abandoned, unfinished, file, export))
                .allSatisfy(path -> assertThat(path).doesNotExist());
        assertThat(List.of(recent, others)).allSatisfy(path -> assertThat(path).exists());
    }

    @Test
    void anOldTemporaryDirectoryWhoseTargetIsLockedIsBeingWritten() throws IOException {
        Path slow = directory(checkpoints, ".x.tmp-1", Duration.ofDays(3));

        try (TargetLock held =
                TargetLock.tryAcquire(checkpoints.resolve("x"), "another").orElseThrow()) {
            cache.sweep(NOW);
        }

        assertThat(slow).exists();
    }

    private Path conversion(char name, int daysUnused) throws IOException {
        Path directory = directory(checkpoints, String.valueOf(name).repeat(64), Duration.ofDays(daysUnused));
        new Listing("source", List.of(), 6, "a manifest's").write(directory);
        return directory;
    }

    private static Path directory(Path parent, String name, Duration age) throws IOException {
        Path directory = Files.createDirectories(parent.resolve(name));
        Path file = Files.writeString(directory.resolve("weights"), "abcdef");
        aged(file, age);
        return aged(directory, age);
    }

    private static Path aged(Path path, Duration age) throws IOException {
        return Files.setLastModifiedTime(path, FileTime.from(NOW.minus(age)));
    }
}
