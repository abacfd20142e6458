package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * A directory that comes into being complete or not at all: it is filled under a temporary name beside its place, synchronised and renamed. Closing it
 * before {@link #publish} removes what was written.
 */
public final class NewDirectory implements AutoCloseable {
    private final Path target;
    private final Path temporary;
    private boolean published;

    private NewDirectory(Path target, Path temporary) {
        this.target = target;
        this.temporary = temporary;
    }

    public static NewDirectory beside(Path path) {
        Path target = path.toAbsolutePath().normalize();
        try {
            if (Files.exists(target)) {
                throw new CheckpointException(target + " exists already; choose another directory or remove it");
            }
            Files.createDirectories(target.getParent());
            String prefix = "." + target.getFileName() + ".tmp-";
            return new NewDirectory(target, Files.createTempDirectory(target.getParent(), prefix));
        } catch (IOException e) {
            throw new CheckpointException("cannot create a directory beside " + target + ": " + e, e);
        }
    }

    /** Where to write until it is published. */
    public Path path() {
        return temporary;
    }

    /** Refuses before anything is written when the file system cannot hold so much. */
    public void reserve(long bytes) {
        DiskSpace.check(target, bytes);
    }

    public void publish() {
        try {
            Files.setPosixFilePermissions(
                    temporary, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
            DurableFiles.syncDirectory(temporary);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            published = true;
            DurableFiles.syncDirectory(target.getParent());
        } catch (IOException e) {
            throw new CheckpointException("cannot rename " + temporary + " to " + target + ": " + e, e);
        }
    }

    @Override
    public void close() {
        if (!published) {
            delete(temporary);
        }
    }

    static void delete(Path directory) {
        try {
            Files.walkFileTree(directory, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.delete(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path visited, java.io.IOException problem)
                        throws IOException {
                    Files.delete(visited);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new CheckpointException("cannot remove the unfinished " + directory + ": " + e, e);
        }
    }
}
