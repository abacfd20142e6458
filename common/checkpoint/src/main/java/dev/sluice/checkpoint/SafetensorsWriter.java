package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
        OutputFile layout = layout(String.valueOf(file.getFileName()), tensors, metadata);
        DurableFiles.write(file, out -> {
            for (Piece piece : layout.pieces()) {
                piece.content().writeTo(out);
                if (out.position() != piece.end()) {
                    throw new IOException("tensor %s: %d bytes expected, %d written"
                            .formatted(
                                    piece.tensor() == null
                                            ? "?"
                                            : piece.tensor().name(),
                                    piece.bytes(),
                                    out.position() - piece.begin()));
                }
            }
        });
    }

    /** Where each tensor goes in a file. */
    static OutputFile layout(String path, Collection<? extends TensorSource> tensors, Map<String, String> metadata) {
        List<TensorSource> ordered = new ArrayList<>(tensors);
        ordered.sort(REFERENCE_ORDER);
        List<TensorEntry> entries = entries(path, ordered);
        ByteBuffer header = header(SafetensorsHeader.encode(entries, metadata));
        int dataBegin = header.remaining();
        List<Piece> pieces = new ArrayList<>();
        pieces.add(new Piece(0, dataBegin, null, out -> DurableFiles.writeFully(out, header.duplicate())));
        for (int i = 0; i < ordered.size(); i++) {
            TensorEntry entry = entries.get(i);
            long begin = dataBegin + entry.begin();
            StoredTensor tensor = StoredTensor.whole(entry.name(), entry.dtype(), entry.shape(), path, begin);
            pieces.add(new Piece(begin, entry.bytes(), tensor, ordered.get(i)::writeTo));
        }
        return new OutputFile(path, pieces);
    }

    private static List<TensorEntry> entries(String file, List<TensorSource> ordered) {
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

    private static ByteBuffer header(byte[] json) {
        int padded = (json.length + 7) & ~7;
        byte[] text = Arrays.copyOf(json, padded);
        Arrays.fill(text, json.length, padded, (byte) ' ');
        ByteBuffer header = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
        return header.putLong(padded).put(text).flip();
    }
}
