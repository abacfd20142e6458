package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes the files of a layout in several threads, each file synchronised when its last stretch is there. With a journal, stretches that an earlier
 * process wrote are read and compared with their hashes instead of being written again.
 */
final class LayoutWriter {
    private final Path directory;
    private final OutputLayout layout;
    private final @Nullable Journal journal;
    private final WriteSettings settings;
    private final SharedProgress progress;
    private final Map<String, Integer> stretchesLeft = new HashMap<>();
    private final List<HashedTensor> hashed = Collections.synchronizedList(new ArrayList<>());
    private final ThreadLocal<ByteBuffer> windows =
            ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(StretchChannel.WINDOW_BYTES));

    private LayoutWriter(
            Path directory, OutputLayout layout, @Nullable Journal journal, WriteSettings settings, Progress progress) {
        this.directory = directory;
        this.layout = layout;
        this.journal = journal;
        this.settings = settings;
        this.progress = new SharedProgress(progress, layout.tensorFileBytes());
    }

    /**
     * Writes all files with tensors, then the small ones in their order.
     *
     * @return the tensors and their hashes, in no particular order
     * @throws CheckpointException if a source or the disk fails, or the thread is interrupted
     */
    static List<HashedTensor> write(
            Path directory, OutputLayout layout, @Nullable Journal journal, WriteSettings settings, Progress progress) {
        LayoutWriter writer = new LayoutWriter(directory, layout, journal, settings, progress);
        try {
            writer.writeTensorFiles();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CheckpointException(
                    "writing %s was interrupted after %d of %d bytes; run it again to go on from there"
                            .formatted(directory, writer.progress.bytesDone(), writer.progress.bytesTotal()),
                    e);
        } catch (IOException e) {
            throw new CheckpointException("cannot write " + directory + ": " + e, e);
        }
        for (SmallFile file : layout.smallFiles()) {
            DurableFiles.write(directory.resolve(file.path()), (DurableFiles.Body) file.content()::writeTo);
        }
        return List.copyOf(writer.hashed);
    }

    private void writeTensorFiles() throws IOException, InterruptedException {
        List<Stretch> stretches = layout.stretches(settings.stretchBytes());
        stretches.forEach(stretch -> stretchesLeft.merge(stretch.file(), 1, Integer::sum));
        for (OutputFile file : layout.files()) {
            prepare(file);
        }
        List<Stretch> claimed = new ArrayList<>();
        List<Stretch> open = Collections.synchronizedList(new ArrayList<>());
        for (Stretch stretch : stretches) {
            (journal != null && journal.claims(stretch) ? claimed : open).add(stretch);
        }
        Workers.each(settings.workers(), claimed, stretch -> {
            if (!isWritten(stretch)) {
                open.add(stretch);
            }
        });
        progress.begin();
        Workers.each(settings.workers(), List.copyOf(open), this::write);
    }

    /** A file longer than planned would be a broken one; a shorter one grows as it is written. */
    private void prepare(OutputFile file) throws IOException {
        Path path = directory.resolve(file.path());
        Files.createDirectories(path.getParent());
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            if (channel.size() > file.bytes()) {
                channel.truncate(file.bytes());
            }
        }
    }

    private boolean isWritten(Stretch stretch) throws IOException {
        StretchHashes found;
        try (FileChannel file = FileChannel.open(directory.resolve(stretch.file()), StandardOpenOption.READ)) {
            if (file.size() < stretch.end()) {
                return false;
            }
            SplitHash hash = new SplitHash(stretch.begin(), stretch.tensors());
            FileHashes.read(file, stretch.begin(), stretch.end(), windows.get(), hash);
            found = new StretchHashes(hash.tensors(), hash.rest());
        }
        if (journal == null || !journal.agrees(stretch, found)) {
            return false;
        }
        finished(stretch, found);
        progress.kept(stretch.bytes());
        return true;
    }

    private void write(Stretch stretch) throws IOException {
        StretchHashes hashes;
        Path path = directory.resolve(stretch.file());
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
            StretchChannel out = new StretchChannel(file, stretch, windows.get(), progress::wrote);
            for (Piece piece : stretch.pieces()) {
                piece.content().writeTo(out);
                if (out.position() != piece.end()) {
                    throw new IOException("%s: %d bytes expected at byte %d of %s, %d written"
                            .formatted(
                                    piece.tensor() == null
                                            ? "an item"
                                            : piece.tensor().name(),
                                    piece.bytes(),
                                    piece.begin(),
                                    stretch.file(),
                                    out.position() - piece.begin()));
                }
            }
            hashes = out.finish();
            // The disk works while the other threads read and hash; the kernel would begin only when a tenth of the
            // memory is unwritten.
            file.force(false);
        }
        if (journal != null) {
            journal.append(stretch, hashes);
        }
        finished(stretch, hashes);
    }

    private void finished(Stretch stretch, StretchHashes hashes) throws IOException {
        List<StoredTensor> tensors = stretch.tensors();
        for (int i = 0; i < tensors.size(); i++) {
            hashed.add(new HashedTensor(tensors.get(i), hashes.tensors().get(i)));
        }
        if (wasLast(stretch.file())) {
            try (FileChannel file = FileChannel.open(directory.resolve(stretch.file()), StandardOpenOption.WRITE)) {
                file.force(true);
            }
        }
    }

    private synchronized boolean wasLast(String file) {
        return stretchesLeft.merge(file, -1, Integer::sum) == 0;
    }
}
