package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** Copies the files of a model directory, not its subdirectories; links become files, since a copy will be patched. */
final class CheckpointCopy {
    private CheckpointCopy() {}

    static long bytes(Path source) {
        try {
            long bytes = 0;
            for (Path file : files(source)) {
                bytes += Files.size(file);
            }
            return bytes;
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + source + ": " + e, e);
        }
    }

    /** Replaces all files of the target; they are on the disk when this returns. */
    static void into(Path source, Path target) {
        try {
            Files.createDirectories(target);
            for (Path old : files(target)) {
                Files.delete(old);
            }
            long needed = bytes(source);
            long usable = Files.getFileStore(target).getUsableSpace();
            if (usable < needed) {
                throw new CheckpointException("a copy of %s needs %d bytes, but the file system of %s has %d left"
                        .formatted(source, needed, target, usable));
            }
            for (Path file : files(source)) {
                copy(file, target.resolve(file.getFileName()));
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot copy " + source + " to " + target + ": " + e, e);
        }
    }

    private static void copy(Path source, Path target) throws IOException {
        try (FileChannel in = FileChannel.open(source, StandardOpenOption.READ);
                FileChannel out = FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            long bytes = in.size();
            long copied = 0;
            while (copied < bytes) {
                long moved = in.transferTo(copied, bytes - copied, out);
                if (moved == 0) {
                    throw new IOException("%s shrank from %d to %d bytes".formatted(source, bytes, copied));
                }
                copied += moved;
            }
            out.force(true);
        }
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
