package dev.sluice.converter;

import dev.sluice.checkpoint.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * The directory that a conversion makes, which counts only together with its {@link Listing}. For the holder of its {@link
 * TargetLock}.
 *
 * @param read is told, on any thread, how many more bytes a full check has read
 */
record Product(Path directory, ConverterConfig.Check check, LongConsumer read) {
    private static final int MAX_REPLACED = 1000;

    /** What lies at the directory's place. */
    sealed interface Found {
        record Nothing() implements Found {}

        /** It can be handed on. */
        record Intact(Listing listing) implements Found {}

        /** It must not be handed on; every reason. */
        record Damaged(List<String> problems) implements Found {}
    }

    Found look() throws IOException {
        if (!Files.exists(directory)) {
            return new Found.Nothing();
        }
        Optional<Listing> listing = Listing.read(directory);
        if (listing.isEmpty()) {
            return new Found.Damaged(List.of("there is no readable %s, which is written last"
                    .formatted(Listing.fileOf(directory).getFileName())));
        }
        List<String> problems = problems(listing.get());
        return problems.isEmpty() ? new Found.Intact(listing.get()) : new Found.Damaged(problems);
    }

    private List<String> problems(Listing listing) {
        if (!Files.isRegularFile(directory.resolve(Manifest.FILE))) {
            return List.of(Manifest.FILE + " is missing");
        }
        if (!Manifest.sha256(directory).equals(listing.manifestSha256())) {
            return List.of(Manifest.FILE + " has another content than when it was made");
        }
        return check == ConverterConfig.Check.FULL ? Manifest.problems(directory, read) : Manifest.problems(directory);
    }

    /** Makes what the directory holds count. */
    Listing finish(String source, List<String> carriedOver) throws IOException {
        Listing listing = Listing.of(directory, source, carriedOver);
        listing.write(directory);
        return listing;
    }

    /** Says when it was last of use, for those who choose what to delete. */
    void used() throws IOException {
        Files.setLastModifiedTime(directory, FileTime.from(Instant.now()));
    }

    /** Deletes it for good. */
    void discard() throws IOException {
        Trash.discard(directory);
        Files.deleteIfExists(Listing.fileOf(directory));
    }

    /**
     * Moves it out of the way under a name of its own and keeps it.
     *
     * @return where it is now
     */
    Path setAside() throws IOException {
        for (int number = 1; number <= MAX_REPLACED; number++) {
            Path aside = directory.resolveSibling(directory.getFileName() + "-replaced-" + number);
            if (!Files.exists(aside)) {
                Files.move(directory, aside, StandardCopyOption.ATOMIC_MOVE);
                Files.deleteIfExists(Listing.fileOf(directory));
                return aside;
            }
        }
        throw new IOException("%s was replaced %d times; delete what %s-replaced-* nobody needs"
                .formatted(directory, MAX_REPLACED, directory));
    }
}
