package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/**
 * {@code manifest.json} lists every tensor of a directory with the XXH3-64 of its bytes, and every file with its size and the XXH3-64 of its other bytes.
 * The manifest's own SHA-256 therefore stands for the whole directory, against damage; it is no protection from who makes up files on purpose.
 */
public final class Manifest {
    public static final String FILE = "manifest.json";

    private static final int MAX_FILES = 100_000;

    private Manifest() {}

    /**
     * Lists a directory that nothing writes to any more; reads all of it. Tensors are those of safetensors files and torch_dist iterations.
     *
     * @return the SHA-256 of the manifest file, in lower-case hexadecimal
     * @throws CheckpointException if a file with tensors is damaged
     */
    public static String write(Path directory) {
        List<StoredTensor> tensors = tensorsIn(directory);
        return write(directory, new DirectoryHashes(directory, tensors).tensors(bytes -> {}));
    }

    /** As {@link #write(Path)}, with tensors that were hashed when they were written. */
    static String write(Path directory, List<HashedTensor> tensors) {
        byte[] content = describe(directory, tensors).encode();
        DurableFiles.write(directory.resolve(FILE), content);
        return sha256(content);
    }

    /**
     * Reads every file again, in several threads.
     *
     * @return the SHA-256 of the manifest file, to be compared with the one that was announced
     * @throws CheckpointException naming every file that is missing or surplus and every file or tensor that is different
     */
    public static String verify(Path directory) {
        List<String> problems = problems(directory, bytes -> {});
        if (!problems.isEmpty()) {
            throw new CheckpointException("%s differs from its manifest: %s; restore it or use an older one"
                    .formatted(directory, String.join("; ", problems)));
        }
        return sha256(directory);
    }

    /**
     * Every file that is missing, surplus or of another size; only the manifest is read.
     *
     * @throws CheckpointException if there is no manifest, or it contradicts itself
     */
    public static List<String> problems(Path directory) {
        return List.copyOf(misfits(directory, read(directory)).values());
    }

    /**
     * As {@link #problems(Path)}, and every file and tensor with another content; reads all, in several threads.
     *
     * @param read is told, on any thread, how many more bytes of tensors were read
     */
    public static List<String> problems(Path directory, LongConsumer read) {
        ManifestContent expected = read(directory);
        Map<String, String> misfits = misfits(directory, expected);
        Set<String> sound = new HashSet<>(expected.files().keySet());
        sound.removeAll(misfits.keySet());
        List<String> problems = new ArrayList<>(misfits.values());
        problems.addAll(differences(directory, expected, sound, read));
        return problems;
    }

    /**
     * The SHA-256 of the manifest file, in lower-case hexadecimal.
     *
     * @throws CheckpointException if it cannot be read
     */
    public static String sha256(Path directory) {
        return sha256(bytes(directory.resolve(FILE)));
    }

    /**
     * What the manifest says of the tensors, by file and position; nothing else is read.
     *
     * @throws CheckpointException if there is no manifest, or it contradicts itself
     */
    public static List<HashedTensor> tensors(Path directory) {
        return read(directory).tensors();
    }

    /** What is wrong with a path before anything is read there. */
    private static Map<String, String> misfits(Path directory, ManifestContent expected) {
        Map<String, Long> present = sizes(directory);
        Map<String, String> misfits = new LinkedHashMap<>();
        present.keySet().stream()
                .filter(path -> !expected.files().containsKey(path))
                .forEach(path -> misfits.put(path, path + " is not listed"));
        expected.files().forEach((path, listed) -> {
            Long bytes = present.get(path);
            if (bytes == null) {
                misfits.put(path, path + " is missing");
            } else if (bytes != listed.bytes()) {
                misfits.put(path, "%s has %d bytes, not %d".formatted(path, bytes, listed.bytes()));
            }
        });
        return misfits;
    }

    private static ManifestContent read(Path directory) {
        Path file = directory.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(directory + " has no " + FILE + "; it was never finished");
        }
        return ManifestContent.read(file);
    }

    private static ManifestContent describe(Path directory, List<HashedTensor> tensors) {
        SortedMap<String, ManifestContent.Listed> files = new TreeMap<>();
        Map<String, Long> sizes = sizes(directory);
        Map<String, Long> rests = new DirectoryHashes(directory, places(tensors)).rests(sizes.keySet());
        sizes.forEach((path, bytes) -> files.put(path, new ManifestContent.Listed(bytes, rests.get(path))));
        return new ManifestContent(files, tensors);
    }

    private static List<String> differences(
            Path directory, ManifestContent expected, Set<String> sound, LongConsumer read) {
        List<HashedTensor> tensors = expected.tensors().stream()
                .filter(hashed -> sound.contains(hashed.tensor().file()))
                .toList();
        DirectoryHashes hashes = new DirectoryHashes(directory, places(tensors));
        List<String> problems = new ArrayList<>();
        Map<String, Long> rests = hashes.rests(sound);
        expected.files().forEach((path, listed) -> {
            if (sound.contains(path) && rests.get(path) != listed.rest()) {
                problems.add("%s has %d bytes with XXH3 %s outside tensors, not %s"
                        .formatted(
                                path,
                                listed.bytes(),
                                HashedTensor.hexadecimal(rests.get(path)),
                                HashedTensor.hexadecimal(listed.rest())));
            }
        });
        Map<StoredTensor, HashedTensor> found = new HashMap<>();
        hashes.tensors(read).forEach(hashed -> found.put(hashed.tensor(), hashed));
        for (HashedTensor hashed : tensors) {
            HashedTensor now = found.get(hashed.tensor());
            if (!hashed.equals(now)) {
                problems.add("tensor %s at byte %d of %s has XXH3 %s, not %s"
                        .formatted(
                                hashed.tensor().name(),
                                hashed.tensor().begin(),
                                hashed.tensor().file(),
                                now == null ? "none" : now.hexadecimal(),
                                hashed.hexadecimal()));
            }
        }
        return problems;
    }

    private static List<StoredTensor> tensorsIn(Path directory) {
        List<StoredTensor> tensors = new ArrayList<>();
        for (String path : sizes(directory).keySet()) {
            Path file = directory.resolve(path);
            String name = file.getFileName().toString();
            if (name.endsWith(".safetensors")) {
                try (SafetensorsFile safetensors = SafetensorsFile.open(file)) {
                    tensors.addAll(safetensors.stored(path));
                }
            } else if (name.equals(TorchDistDirectory.METADATA)
                    && Files.exists(file.resolveSibling(TorchDistDirectory.FORMAT))) {
                try (TorchDistCheckpoint iteration = TorchDistCheckpoint.open(file.getParent())) {
                    tensors.addAll(iteration.stored(path.substring(0, path.length() - name.length())));
                }
            }
        }
        return tensors;
    }

    private static List<StoredTensor> places(Collection<HashedTensor> tensors) {
        return tensors.stream().map(HashedTensor::tensor).toList();
    }

    private static SortedMap<String, Long> sizes(Path directory) {
        SortedMap<String, Long> sizes = new TreeMap<>();
        try (Stream<Path> walk = Files.walk(directory)) {
            for (Path path : (Iterable<Path>) walk.filter(path -> !Files.isDirectory(path))::iterator) {
                sizes.put(directory.relativize(path).toString().replace('\\', '/'), Files.size(path));
                if (sizes.size() > MAX_FILES) {
                    throw new CheckpointException("%s holds more than %d files".formatted(directory, MAX_FILES));
                }
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot list " + directory + ": " + e, e);
        }
        sizes.remove(FILE);
        return sizes;
    }

    private static byte[] bytes(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + file + ": " + e, e);
        }
    }

    private static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
