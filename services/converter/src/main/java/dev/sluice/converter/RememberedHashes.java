package dev.sluice.converter;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.DurableFiles;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hashes of files that were read before and have not changed since, so that a model of 60 GB is read for its hash once: one
 * small file a source directory, checked against size, times and inode of every file before it is believed.
 *
 * @param folder where they are kept
 * @param tick a file that changed less than this ago is read again next time: a further change might not show
 */
record RememberedHashes(Path folder, Duration tick, int threads) {
    private static final Logger LOG = LoggerFactory.getLogger(RememberedHashes.class);
    private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");
    private static final long MAX_BYTES = 16L << 20;

    /** A file's hash with the state that it was read in. */
    record Hashed(FileState state, String sha256) {}

    private record Remembered(String directory, SortedMap<String, Hashed> files) {}

    /** Told how many bytes of all that must be read were read; on any thread. */
    @FunctionalInterface
    interface Reading {
        void at(long bytesRead, long bytesToRead);
    }

    /** Where a directory's hashes are kept; also what its readers lock, so that one of them reads. */
    Path fileFor(Path directory) throws IOException {
        byte[] name = directory.toRealPath().toString().getBytes(StandardCharsets.UTF_8);
        return folder.resolve(HexFormat.of().formatHex(FileHashes.sha256().digest(name)) + ".json");
    }

    /**
     * Hashes files of a directory, reading only those that changed.
     *
     * @throws CheckpointException if a file changes while it is read
     */
    SortedMap<String, Hashed> hash(Path directory, List<String> names, Reading reading) throws IOException {
        Path memory = fileFor(directory);
        Map<String, Hashed> known = recall(memory);
        SortedMap<String, Hashed> hashed = new TreeMap<>();
        Map<Path, FileState> unread = new TreeMap<>();
        for (String name : names) {
            FileState state = FileState.of(directory.resolve(name));
            Hashed before = known.get(name);
            if (before != null && before.state.equals(state)) {
                hashed.put(name, before);
            } else {
                unread.put(directory.resolve(name), state);
            }
        }
        if (!unread.isEmpty()) {
            Instant now = Instant.now();
            hashed.putAll(read(unread, reading));
            remember(memory, directory, hashed, now);
        }
        return hashed;
    }

    private Map<String, Hashed> read(Map<Path, FileState> files, Reading reading) throws IOException {
        long toRead = files.values().stream().mapToLong(FileState::bytes).sum();
        AtomicLong read = new AtomicLong();
        Map<Path, String> hashes =
                FileHashes.of(files.keySet(), threads, bytes -> reading.at(read.addAndGet(bytes), toRead));
        Map<String, Hashed> hashed = new TreeMap<>();
        List<String> changed = new ArrayList<>();
        for (Map.Entry<Path, FileState> file : files.entrySet()) {
            String name = file.getKey().getFileName().toString();
            if (FileState.of(file.getKey()).equals(file.getValue())) {
                hashed.put(name, new Hashed(file.getValue(), hashes.get(file.getKey())));
            } else {
                changed.add(name);
            }
        }
        if (!changed.isEmpty()) {
            throw new CheckpointException(
                    "%s changed while they were read: %s; submit the run again when nothing writes there any more"
                            .formatted(files.keySet().iterator().next().getParent(), changed));
        }
        return hashed;
    }

    private void remember(Path memory, Path directory, SortedMap<String, Hashed> hashed, Instant before)
            throws IOException {
        SortedMap<String, Hashed> settled = new TreeMap<>(hashed);
        settled.values().removeIf(file -> !file.state.settled(before, tick));
        DurableFiles.write(memory, EventJson.mapper().writeValueAsBytes(new Remembered(directory.toString(), settled)));
    }

    /** What cannot be believed is as if it had not been written. */
    private static Map<String, Hashed> recall(Path memory) throws IOException {
        if (!Files.isRegularFile(memory) || Files.size(memory) > MAX_BYTES) {
            return Map.of();
        }
        try {
            Remembered remembered = EventJson.mapper().readValue(memory.toFile(), Remembered.class);
            boolean believable = remembered != null
                    && remembered.files != null
                    && remembered.files.values().stream()
                            .allMatch(file -> file != null
                                    && file.state != null
                                    && file.sha256 != null
                                    && SHA_256.matcher(file.sha256).matches());
            return believable ? remembered.files : Map.of();
        } catch (JsonProcessingException e) {
            LOG.warn("the hashes in {} cannot be read, so the source is read again error={}", memory, e.getMessage());
            return Map.of();
        }
    }
}
