package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.SafetensorsFile;
import dev.sluice.checkpoint.TensorEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** A published delta: its headers are checked completely when it is opened, its frames when they are applied. */
public final class DeltaCheckpoint implements AutoCloseable {
    private final Path directory;
    private final DeltaIndex index;
    private final List<SafetensorsFile> files = new ArrayList<>();
    private final SortedMap<String, StoredDelta> tensors = new TreeMap<>();
    private long wireBytes;

    private DeltaCheckpoint(Path directory, DeltaIndex index) {
        this.directory = directory;
        this.index = index;
    }

    /**
     * Opens one version's directory.
     *
     * @throws CheckpointException if it is not a delta, or its index and files disagree
     */
    public static DeltaCheckpoint open(Path directory) {
        DeltaCheckpoint delta = new DeltaCheckpoint(directory, DeltaIndex.read(directory));
        try {
            for (String file : new TreeSet<>(delta.index.fileOfTensor().values())) {
                delta.open(file);
            }
            delta.checkComplete();
            return delta;
        } catch (IOException e) {
            delta.close();
            throw new CheckpointException("cannot read " + directory + ": " + e, e);
        } catch (RuntimeException e) {
            delta.close();
            throw e;
        }
    }

    public Path directory() {
        return directory;
    }

    public WeightVersion version() {
        return index.version();
    }

    /** The version that this delta changes. */
    public WeightVersion baseVersion() {
        return index.baseVersion();
    }

    public DeltaEncoding encoding() {
        return index.encoding();
    }

    public DeltaChecksum checksum() {
        return index.checksum();
    }

    /** Checksum of each changed tensor's new bytes, by name. */
    public SortedMap<String, String> checksums() {
        SortedMap<String, String> checksums = new TreeMap<>();
        tensors.forEach((name, delta) -> checksums.put(name, delta.checksum()));
        return Collections.unmodifiableSortedMap(checksums);
    }

    /** Size of all its safetensors files. */
    public long wireBytes() {
        return wireBytes;
    }

    List<StoredDelta> stored() {
        return List.copyOf(tensors.values());
    }

    /** Refuses what cannot be a delta of this checkpoint, before anything is touched. */
    void checkAgainst(HuggingFaceCheckpoint base) {
        for (StoredDelta delta : tensors.values()) {
            TensorEntry tensor = base.tensors().get(delta.tensor());
            if (tensor == null) {
                throw delta.refused(base.directory() + " has no such tensor");
            }
            FrameHeader.read(delta).check(delta, encoding(), tensor.bytes());
        }
    }

    @Override
    public void close() {
        files.forEach(SafetensorsFile::close);
    }

    private void open(String name) throws IOException {
        Path path = directory.resolve(name);
        if (!Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            throw broken("names " + name + ", which is not a file there");
        }
        SafetensorsFile file = SafetensorsFile.open(path);
        files.add(file);
        wireBytes += Files.size(path);
        for (TensorEntry tensor : file.tensors().values()) {
            if (!name.equals(index.fileOfTensor().get(tensor.name()))) {
                throw broken("does not put tensor %s into %s, which holds it".formatted(tensor.name(), name));
            }
            tensors.put(tensor.name(), stored(path, file, tensor));
        }
    }

    private StoredDelta stored(Path path, SafetensorsFile file, TensorEntry tensor) {
        String checksum = file.metadata().getOrDefault(tensor.name(), "");
        StoredDelta stored = new StoredDelta(path, tensor.name(), file.range(tensor.name()), checksum);
        if (tensor.dtype() != DType.U8 || tensor.shape().size() != 1) {
            throw stored.refused(
                    "a compressed delta is U8 of one axis, not %s %s".formatted(tensor.dtype(), tensor.shape()));
        }
        if (!index.checksum().accepts(checksum)) {
            throw stored.refused("its checksum \"%s\" is not one of %s"
                    .formatted(checksum, index.checksum().text()));
        }
        return stored;
    }

    /** slime's reader applies every safetensors file that it finds, listed or not; two readers must not see two deltas. */
    private void checkComplete() throws IOException {
        for (Map.Entry<String, String> promised : index.fileOfTensor().entrySet()) {
            if (!tensors.containsKey(promised.getKey())) {
                throw broken(
                        "promises tensor %s in %s, which lacks it".formatted(promised.getKey(), promised.getValue()));
            }
        }
        Set<String> listed = new HashSet<>(index.fileOfTensor().values());
        try (Stream<Path> present = Files.list(directory)) {
            List<String> surplus = present.map(path -> path.getFileName().toString())
                    .filter(name -> name.endsWith(".safetensors") && !listed.contains(name))
                    .sorted()
                    .toList();
            if (!surplus.isEmpty()) {
                throw broken("does not list " + String.join(", ", surplus));
            }
        }
    }

    private CheckpointException broken(String what) {
        return new CheckpointException(directory.resolve(DeltaIndex.FILE) + " " + what + "; publish the delta again");
    }
}
