package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.DurableFiles;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.NewDirectory;
import dev.sluice.checkpoint.SafetensorsWriter;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.checkpoint.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** Publishes what changed between two versions of a model. */
public final class DeltaWriter {
    /** slime counts files from 0, unlike Hugging Face. */
    private static final String ONLY_FILE = "model-00000-of-00001.safetensors";

    private record Turn(int index, TensorSource tensor) {}

    private record Encoders(List<TensorEncoder> each) implements AutoCloseable {
        static Encoders open(DeltaOptions options, Path directory, int count) throws IOException {
            Encoders encoders = new Encoders(new ArrayList<>());
            try {
                for (int i = 0; i < count; i++) {
                    encoders.each.add(TensorEncoder.open(options, directory, i));
                }
                return encoders;
            } catch (IOException | RuntimeException e) {
                encoders.close();
                throw e;
            }
        }

        @Override
        public void close() throws IOException {
            for (TensorEncoder encoder : each) {
                encoder.close();
            }
        }
    }

    private DeltaWriter() {}

    /**
     * Compares tensors with the version before and writes the changed ones to {@code weight_vNNNNNN}, which appears complete or not at all. Memory does
     * not grow with the model; frames wait in a file beside their place.
     *
     * @param base the version before, whole
     * @param next the tensors to compare, each asked for its bytes once, several at a time; a tensor of the base that is not among them stays as it is
     * @param stream directory of all versions
     * @param version of {@code next}, at least 1
     * @throws CheckpointException if a tensor is not in the base with the same type and shape, the version exists already, or the disk fails
     */
    public static DeltaFigures write(
            HuggingFaceCheckpoint base,
            Collection<? extends TensorSource> next,
            Path stream,
            WeightVersion version,
            DeltaOptions options) {
        checkNames(base, next);
        WeightVersion baseVersion = version.previous();
        int hands = Math.min(options.threads(), Math.max(next.size(), 1));
        try (NewDirectory created = NewDirectory.beside(version.directory(stream));
                Encoders encoders = Encoders.open(options, created.path(), hands)) {
            List<EncodedTensor> compared = encode(base, next, encoders.each);
            long wireBytes = writeFiles(created.path(), version, baseVersion, options, compared);
            created.publish();
            return figures(compared, next, wireBytes);
        } catch (IOException e) {
            throw new CheckpointException("cannot write " + version.directory(stream) + ": " + e, e);
        }
    }

    private static void checkNames(HuggingFaceCheckpoint base, Collection<? extends TensorSource> next) {
        Set<String> names = new HashSet<>();
        for (TensorSource tensor : next) {
            if (!names.add(tensor.name())) {
                throw new CheckpointException("two new tensors are named " + tensor.name());
            }
            TensorEntry before = base.tensors().get(tensor.name());
            if (before == null) {
                throw new CheckpointException(
                        "%s has no tensor %s; a delta changes tensors but adds none, publish a whole version"
                                .formatted(base.directory(), tensor.name()));
            }
            if (before.dtype() != tensor.dtype() || !before.shape().equals(tensor.shape())) {
                throw new CheckpointException("tensor %s is %s %s in %s, but %s %s now; publish a whole version"
                        .formatted(
                                tensor.name(),
                                before.dtype(),
                                before.shape(),
                                base.directory(),
                                tensor.dtype(),
                                tensor.shape()));
            }
        }
    }

    private static List<EncodedTensor> encode(
            HuggingFaceCheckpoint base, Collection<? extends TensorSource> next, List<TensorEncoder> encoders) {
        List<Turn> turns = new ArrayList<>();
        for (TensorSource tensor : next) {
            turns.add(new Turn(turns.size(), tensor));
        }
        AtomicReferenceArray<EncodedTensor> compared = new AtomicReferenceArray<>(turns.size());
        List<Crew.Hand<Turn>> hands = encoders.stream()
                .map(encoder -> (Crew.Hand<Turn>)
                        turn -> compared.set(turn.index, encoder.encode(turn.tensor, base.range(turn.tensor.name()))))
                .toList();
        Crew.work("comparing with " + base.directory(), turns, hands);
        return turns.stream().map(turn -> compared.get(turn.index)).toList();
    }

    /** Returns the size of the safetensors file. */
    private static long writeFiles(
            Path directory,
            WeightVersion version,
            WeightVersion baseVersion,
            DeltaOptions options,
            List<EncodedTensor> compared)
            throws IOException {
        List<EncodedTensor> changed =
                compared.stream().filter(tensor -> tensor.changedBytes() > 0).toList();
        Map<String, String> checksums = new TreeMap<>();
        Map<String, String> fileOfTensor = new LinkedHashMap<>();
        for (EncodedTensor tensor : changed) {
            checksums.put(tensor.name(), tensor.checksum());
            fileOfTensor.put(tensor.name(), ONLY_FILE);
        }
        long wireBytes = 0;
        if (!changed.isEmpty()) {
            SafetensorsWriter.write(directory.resolve(ONLY_FILE), changed, checksums);
            wireBytes = Files.size(directory.resolve(ONLY_FILE));
        }
        DeltaIndex index = new DeltaIndex(version, baseVersion, options.encoding(), options.checksum(), fileOfTensor);
        DurableFiles.write(directory.resolve(DeltaIndex.FILE), index.json());
        return wireBytes;
    }

    private static DeltaFigures figures(
            List<EncodedTensor> compared, Collection<? extends TensorSource> next, long wireBytes) {
        return new DeltaFigures(
                (int) compared.stream()
                        .filter(tensor -> tensor.changedBytes() > 0)
                        .count(),
                compared.size(),
                compared.stream().mapToLong(EncodedTensor::changedBytes).sum(),
                next.stream().mapToLong(TensorSource::bytes).sum(),
                wireBytes);
    }
}
