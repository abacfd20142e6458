package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Places items one after another in the data files of a torch_dist checkpoint, and keeps the metadata that finds them again. */
final class DistributedItems {
    /** Small enough that a reader maps a file as a whole. */
    private static final long FILE_BYTES = 1L << 30;

    private final String directory;
    private final DistributedMetadata metadata =
            new DistributedMetadata(new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
    private final Map<Kind, Wrapping> wrappings = new HashMap<>();
    private final List<OutputFile> files = new ArrayList<>();
    private List<Piece> open = new ArrayList<>();
    private long end;

    private record Kind(DType dtype, List<Long> sizes) {}

    /** What is around the bytes of a chunk; chunks of one kind share it, and a model has few kinds. */
    private record Wrapping(byte[] pickle, TorchArchiveWriter.Measure measure) {}

    /** @param directory of the iteration, below the output's directory: empty, or ending with a slash */
    DistributedItems(String directory) {
        this.directory = directory;
    }

    /** One chunk of a tensor; {@code paddingBytes} zeros follow the source's bytes. */
    TensorChunk chunk(String key, TensorSource source, MegatronTensor.Part part, long paddingBytes) throws IOException {
        Wrapping wrapping = wrapping(source.dtype(), part.sizes(), source.bytes() + paddingBytes);
        var measure = wrapping.measure;
        StoredItem stored = place(measure.bytes());
        StoredTensor tensor = new StoredTensor(
                key,
                source.dtype(),
                part.offsets(),
                part.sizes(),
                directory + stored.file(),
                stored.offset() + measure.storageBegin());
        open.add(new Piece(
                stored.offset(),
                stored.length(),
                tensor,
                out -> TorchArchiveWriter.write(out, wrapping.pickle, channel -> {
                    source.writeTo(channel);
                    DurableFiles.writeFully(channel, ByteBuffer.allocate(Math.toIntExact(paddingBytes)));
                })));
        return new TensorChunk(part.offsets(), part.sizes(), stored);
    }

    void tensor(ShardedTensor tensor) {
        metadata.tensors().put(tensor.key(), tensor);
    }

    void bytes(String key, byte[] archive) {
        StoredItem stored = place(archive.length);
        metadata.byteItems().put(key, stored);
        open.add(new Piece(
                stored.offset(), stored.length(), null, out -> DurableFiles.writeFully(out, ByteBuffer.wrap(archive))));
    }

    List<OutputFile> files() {
        closeFile();
        return List.copyOf(files);
    }

    byte[] metadata() {
        return PickleBytes.metadata(metadata);
    }

    private Wrapping wrapping(DType dtype, List<Long> sizes, long bytes) throws IOException {
        Wrapping known = wrappings.get(new Kind(dtype, sizes));
        if (known == null) {
            byte[] pickle = PickleBytes.tensor(dtype, sizes);
            known = new Wrapping(pickle, TorchArchiveWriter.measure(pickle, bytes));
            wrappings.put(new Kind(dtype, sizes), known);
        }
        return known;
    }

    private StoredItem place(long bytes) {
        if (end >= FILE_BYTES) {
            closeFile();
        }
        StoredItem stored = new StoredItem(fileName(), end, bytes);
        end += bytes;
        return stored;
    }

    private String fileName() {
        return "__0_%d.distcp".formatted(files.size());
    }

    private void closeFile() {
        if (!open.isEmpty()) {
            files.add(new OutputFile(directory + fileName(), open));
            open = new ArrayList<>();
            end = 0;
        }
    }
}
