package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TensorPlace;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Patches the files of a checkpoint; a failure leaves them between two versions, so that the caller must know from elsewhere that they are whole. */
final class InPlace {
    private static final int NAMED_MISMATCHES = 20;

    private final DeltaCheckpoint delta;
    private final Map<Path, FileChannel> files = new TreeMap<>();
    private final Queue<String> mismatches = new ConcurrentLinkedQueue<>();

    private InPlace(DeltaCheckpoint delta) {
        this.delta = delta;
    }

    /**
     * Patches every changed tensor, compares its checksum and synchronises the files.
     *
     * @param checkpoint as {@link DeltaCheckpoint#checkAgainst} has accepted it
     */
    static void apply(HuggingFaceCheckpoint checkpoint, DeltaCheckpoint delta, int threads) {
        InPlace work = new InPlace(delta);
        try {
            for (StoredDelta tensor : delta.stored()) {
                work.open(checkpoint.place(tensor.tensor()).file());
            }
            work.patch(checkpoint, threads);
            for (FileChannel file : work.files.values()) {
                file.force(false);
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot patch " + checkpoint.directory() + ": " + e, e);
        } finally {
            work.close();
        }
        work.refuseMismatches(checkpoint);
    }

    /** A link could lead into the base, which other engines load. */
    private void open(Path path) throws IOException {
        if (!files.containsKey(path)) {
            files.put(
                    path,
                    FileChannel.open(
                            path, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS));
        }
    }

    private void patch(HuggingFaceCheckpoint checkpoint, int threads) {
        List<StoredDelta> tensors = delta.stored();
        List<Crew.Hand<StoredDelta>> hands = new ArrayList<>();
        for (int i = 0; i < Math.min(threads, Math.max(tensors.size(), 1)); i++) {
            TensorDecoder decoder = TensorDecoder.of(delta.encoding());
            hands.add(tensor -> patch(decoder, tensor, checkpoint.place(tensor.tensor())));
        }
        Crew.work("patching " + checkpoint.directory(), tensors, hands);
    }

    private void patch(TensorDecoder decoder, StoredDelta tensor, TensorPlace place) throws IOException {
        FileChannel file = files.get(place.file());
        if (file == null) {
            throw new IllegalStateException(place.file() + " is opened before its tensors are patched");
        }
        TensorDigest digest = delta.checksum().start();
        decoder.apply(tensor, new FileRegion(file, place), digest);
        String found = digest.hex();
        if (!found.equals(tensor.checksum())) {
            mismatches.add("%s (%s, not %s)".formatted(tensor.tensor(), found, tensor.checksum()));
        }
    }

    private void refuseMismatches(HuggingFaceCheckpoint checkpoint) {
        if (!mismatches.isEmpty()) {
            throw new CheckpointException(
                    "%s: %d of %d tensors have another %s than %s says: %s; the copy or the delta is damaged"
                            .formatted(
                                    checkpoint.directory(),
                                    mismatches.size(),
                                    delta.stored().size(),
                                    delta.checksum().text(),
                                    delta.directory(),
                                    String.join(
                                            ", ",
                                            mismatches.stream()
                                                    .sorted()
                                                    .limit(NAMED_MISMATCHES)
                                                    .toList())));
        }
    }

    private void close() {
        for (FileChannel file : files.values()) {
            try {
                file.close();
            } catch (IOException e) {
                throw new CheckpointException(
                        "cannot close a patched file of version " + delta.version() + ": " + e, e);
            }
        }
    }
}
