package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;

/** Reads the files of a directory in several threads and hashes them. */
final class DirectoryHashes {
    /** What one thread reads at a time, at least. */
    private static final long BATCH_BYTES = 64L << 20;

    private final Path directory;
    private final Map<String, List<StoredTensor>> tensorsOfFile;

    /** @param tensors none overlapping another */
    DirectoryHashes(Path directory, Collection<StoredTensor> tensors) {
        this.directory = directory;
        this.tensorsOfFile = ManifestContent.byFile(tensors);
    }

    /**
     * Each tensor's hash, in no particular order.
     *
     * @param read is told, on any thread, how many more bytes were read
     */
    List<HashedTensor> tensors(LongConsumer read) {
        List<List<StoredTensor>> batches = new ArrayList<>();
        tensorsOfFile.values().forEach(tensors -> batches.addAll(batches(tensors)));
        List<HashedTensor> hashed = Collections.synchronizedList(new ArrayList<>());
        each(batches, batch -> {
            hashed.addAll(hash(batch));
            read.accept(batch.getLast().end() - batch.getFirst().begin());
        });
        return List.copyOf(hashed);
    }

    /** Hash of each file's bytes outside tensors. */
    Map<String, Long> rests(Collection<String> files) {
        Map<String, Long> rests = new ConcurrentHashMap<>();
        each(
                List.copyOf(files),
                file -> rests.put(
                        file, FileHashes.rest(directory.resolve(file), tensorsOfFile.getOrDefault(file, List.of()))));
        return rests;
    }

    private List<HashedTensor> hash(List<StoredTensor> batch) throws IOException {
        StoredTensor first = batch.getFirst();
        SplitHash hash = new SplitHash(first.begin(), batch);
        try (FileChannel file = FileChannel.open(directory.resolve(first.file()), StandardOpenOption.READ)) {
            ByteBuffer window = ByteBuffer.allocateDirect(StretchChannel.WINDOW_BYTES);
            FileHashes.read(file, first.begin(), batch.getLast().end(), window, hash);
        }
        List<Long> hashes = hash.tensors();
        List<HashedTensor> hashed = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            hashed.add(new HashedTensor(batch.get(i), hashes.get(i)));
        }
        return hashed;
    }

    private static List<List<StoredTensor>> batches(List<StoredTensor> tensors) {
        List<List<StoredTensor>> batches = new ArrayList<>();
        List<StoredTensor> batch = new ArrayList<>();
        for (StoredTensor tensor : tensors) {
            batch.add(tensor);
            if (tensor.end() - batch.getFirst().begin() >= BATCH_BYTES) {
                batches.add(batch);
                batch = new ArrayList<>();
            }
        }
        if (!batch.isEmpty()) {
            batches.add(batch);
        }
        return batches;
    }

    private <T> void each(List<T> items, Workers.Job<T> job) {
        try {
            Workers.each(Workers.byDefault(), items, job);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CheckpointException("reading " + directory + " was interrupted; run it again", e);
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + directory + ": " + e, e);
        }
    }
}
