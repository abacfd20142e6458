package dev.sluice.converter;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Deletes directories so that a crash leaves nothing half-deleted under a name that counts: renamed first, then emptied. */
final class Trash {
    /** In the name of what may be deleted whoever finds it. */
    static final String MARK = ".deleted-";

    private Trash() {}

    static void discard(Path directory) throws IOException {
        Path renamed = directory.resolveSibling("." + directory.getFileName() + MARK + UUID.randomUUID());
        Files.move(directory, renamed, StandardCopyOption.ATOMIC_MOVE);
        empty(renamed);
    }

    /** Deletes a tree without following links; another process may be doing the same. */
    static void empty(Path directory) throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException problem) throws IOException {
                if (problem instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw problem;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException problem) throws IOException {
                Files.deleteIfExists(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
