package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Writes safetensors files byte for byte as the reference library does: larger element types first, then by name. */
public final class SafetensorsWriter {
    private static final Comparator<TensorSource> REFERENCE_ORDER = Comparator.comparingInt(
                    (TensorSource tensor) -> -tensor.dtype().bytes())
            .thenComparing(TensorSource::name);

    private SafetensorsWriter() {}

    /**
     * Writes a complete file under a temporary name, synchronises it and renames it.
     *
     * @param metadata free text pairs; transformers insists on {@code format = pt} for model weights
     * @throws CheckpointException if two tensors share a name, a source writes another number of bytes than it announced, or the disk fails
     */
    public static void write(Path file, Collection<? extends TensorSource> tensors, Map<String, String> metadata) {
        List<TensorSource> ordered = new ArrayList<>(tensors);
        ordered.sort(REFERENCE_ORDER);
        List<TensorEntry> entries = entries(file, ordered);
        byte[] header = SafetensorsHeader.encode(entries, metadata);
        DurableFiles.write(file, out -> {
            long dataBegin = writeHeader(out, header);
            for (int i = 0; i < ordered.size(); i++) {
                ordered.get(i).writeTo(out);
                long written = out.position() - dataBegin;
                if (written != entries.get(i).end()) {
                    throw new IOException("tensor %s: %d bytes expected, %d written"
                            .formatted(
                                    entries.get(i).name(),
                                    entries.get(i).bytes(),
                                    written - entries.get(i).begin()));
                }
            }
        });
    }

    private static List<TensorEntry> entries(Path file, List<TensorSource> ordered) {
        List<TensorEntry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        long begin = 0;
        for (TensorSource tensor : ordered) {
            if (!names.add(tensor.name())) {
                throw new CheckpointException("cannot write " + file + ": two tensors are named " + tensor.name());
            }
            long end = begin + tensor.bytes();
            entries.add(new TensorEntry(tensor.name(), tensor.dtype(), tensor.shape(), begin, end));
            begin = end;
        }
        return entries;
    }

    private static long writeHeader(FileChannel out, byte[] header) throws IOException {
        int padded = (header.length + 7) & ~7;
        byte[] text = Arrays.copyOf(header, padded);
        Arrays.fill(text, header.length, padded, (byte) ' ');
        ByteBuffer start = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
        DurableFiles.writeFully(out, start.putLong(padded).put(text).flip());
        return out.position();
    }
}
