package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;

/**
 * A directory that comes into being complete or not at all and that a later process can go on filling: {@code .NAME.partial-KEY} beside its place holds
 * the files and the journal. Closing it before {@link #publish} keeps what was written; a process that dies leaves the same.
 */
final class ResumableDirectory implements AutoCloseable {
    private static final String FILES = "files";
    private static final String JOURNAL = "journal";

    private final Path target;
    private final Path work;
    private final TargetLock lock;
    private final Journal journal;
    private boolean published;

    private ResumableDirectory(Path target, Path work, TargetLock lock, Journal journal) {
        this.target = target;
        this.work = work;
        this.lock = lock;
        this.journal = journal;
    }

    /**
     * Begins, or goes on with what has the same key.
     *
     * @param key equal only for the same bytes
     * @throws CheckpointException if the target exists or another process writes it
     */
    static ResumableDirectory open(Path path, String key) {
        Path target = path.toAbsolutePath().normalize();
        try {
            Files.createDirectories(target.getParent());
            TargetLock lock = TargetLock.of(target);
            try {
                checkAbsent(target);
                Path work = workDirectory(target, key);
                Files.createDirectories(work.resolve(FILES));
                return new ResumableDirectory(target, work, lock, Journal.open(work.resolve(JOURNAL)));
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot create a directory beside " + target + ": " + e, e);
        }
    }

    /** Bytes that an unfinished attempt with this key claims to have written. */
    static long bytesKept(Path target, String key) {
        return bytesKept(workDirectory(target, key));
    }

    /** Unfinished attempts with other keys. */
    static List<UnfinishedConversion> unfinished(Path target, String key) {
        try {
            return attempts(target).stream()
                    .filter(work -> !work.equals(workDirectory(target, key)))
                    .map(work -> new UnfinishedConversion(work, bytesKept(work)))
                    .toList();
        } catch (IOException e) {
            throw new CheckpointException("cannot list what lies beside " + target + ": " + e, e);
        }
    }

    private static long bytesKept(Path work) {
        Path journal = work.resolve(JOURNAL);
        try {
            return Journal.bytes(journal);
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + journal + ": " + e, e);
        }
    }

    private static Path workDirectory(Path target, String key) {
        return target.resolveSibling("." + target.getFileName() + ".partial-" + key);
    }

    /** Refuses a target that is there already. */
    static void checkAbsent(Path target) {
        if (Files.exists(target)) {
            throw new CheckpointException(target + " exists already; choose another directory or remove it");
        }
    }

    /** Where to write until it is published. */
    Path path() {
        return work.resolve(FILES);
    }

    Journal journal() {
        return journal;
    }

    void publish() {
        try {
            Files.setPosixFilePermissions(path(), PosixFilePermissions.fromString("rwxr-xr-x"));
            DurableFiles.syncDirectory(path());
            Files.move(path(), target, StandardCopyOption.ATOMIC_MOVE);
            published = true;
            DurableFiles.syncDirectory(target.getParent());
        } catch (IOException e) {
            throw new CheckpointException("cannot rename " + path() + " to " + target + ": " + e, e);
        }
    }

    @Override
    public void close() {
        try (lock) {
            journal.close();
            if (published) {
                // Of other sources too: now that the target exists, none of them could ever be finished.
                attempts(target).forEach(NewDirectory::delete);
            } else if (journal.isEmpty()) {
                NewDirectory.delete(work);
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot close " + work + ": " + e, e);
        }
    }

    private static List<Path> attempts(Path target) throws IOException {
        if (!Files.isDirectory(target.getParent())) {
            return List.of();
        }
        String prefix = workDirectory(target, "").getFileName().toString();
        try (Stream<Path> listed = Files.list(target.getParent())) {
            return listed.filter(path -> path.getFileName().toString().startsWith(prefix))
                    .sorted()
                    .toList();
        }
    }
}
