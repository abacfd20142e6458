package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The data files of a torch_dist checkpoint: items one after another, and the metadata that finds them again. */
final class DistributedItems implements AutoCloseable {
    /** Small enough that a reader maps a file as a whole. */
    private static final long FILE_BYTES = 1L << 30;

    private final Path directory;
    private final DistributedMetadata metadata =
            new DistributedMetadata(new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
    private @Nullable FileChannel file;
    private String fileName = "";
    private int files;

    DistributedItems(Path directory) {
        this.directory = directory;
    }

    private interface Item {
        long writeTo(FileChannel out) throws IOException;
    }

    /** One chunk of a tensor; {@code paddingBytes} zeros follow the source's bytes. */
    TensorChunk chunk(TensorSource source, MegatronTensor.Part part, long paddingBytes) throws IOException {
        byte[] pickle = PickleBytes.tensor(source.dtype(), part.sizes());
        StoredItem stored = append(out -> TorchArchiveWriter.write(out, pickle, channel -> {
            source.writeTo(channel);
            DurableFiles.writeFully(channel, ByteBuffer.allocate(Math.toIntExact(paddingBytes)));
        }));
        return new TensorChunk(part.offsets(), part.sizes(), stored);
    }

    void tensor(ShardedTensor tensor) {
        metadata.tensors().put(tensor.key(), tensor);
    }

    void bytes(String key, byte[] archive) throws IOException {
        metadata.byteItems().put(key, append(out -> {
            DurableFiles.writeFully(out, ByteBuffer.wrap(archive));
            return archive.length;
        }));
    }

    /** Synchronises the data, then writes the metadata. */
    void finish() throws IOException {
        closeFile();
        DurableFiles.write(directory.resolve(TorchDistDirectory.METADATA), PickleBytes.metadata(metadata));
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }

    private StoredItem append(Item item) throws IOException {
        FileChannel out = file == null || file.position() >= FILE_BYTES ? nextFile() : file;
        long offset = out.position();
        long length = item.writeTo(out);
        if (out.position() != offset + length) {
            throw new IOException(
                    "an item of %d bytes took %d bytes in %s".formatted(length, out.position() - offset, fileName));
        }
        return new StoredItem(fileName, offset, length);
    }

    private FileChannel nextFile() throws IOException {
        closeFile();
        fileName = "__0_%d.distcp".formatted(files++);
        FileChannel next =
                FileChannel.open(directory.resolve(fileName), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        file = next;
        return next;
    }

    private void closeFile() throws IOException {
        if (file != null) {
            file.force(true);
            file.close();
            file = null;
        }
    }
}
