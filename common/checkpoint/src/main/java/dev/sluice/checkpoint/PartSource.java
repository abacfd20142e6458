package dev.sluice.checkpoint;

import dev.sluice.checkpoint.MegatronTensor.Part;
import dev.sluice.checkpoint.MegatronTensor.Piece;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The bytes of one chunk, read piece by piece from the tensors it consists of; padded rows are not among them. */
record PartSource(String name, DType dtype, List<Long> shape, List<Slice> slices) implements TensorSource {
    /** A piece and the tensor to take it from. */
    record Slice(Piece piece, TensorSource source) {}

    /**
     * The source of a part.
     *
     * @param sources the model's tensors by name
     * @throws CheckpointException if a tensor is missing, has another shape than the plan says, or another type than its neighbours
     */
    static TensorSource of(MegatronTensor tensor, Part part, Map<String, TensorSource> sources) {
        List<Slice> slices = new ArrayList<>();
        long rows = 0;
        for (Piece piece : part.pieces()) {
            slices.add(new Slice(piece, source(piece, sources)));
            rows += piece.sizes().getFirst();
        }
        TensorSource first = slices.getFirst().source;
        for (Slice slice : slices) {
            if (slice.source.dtype() != first.dtype()) {
                throw new CheckpointException("%s is %s, but other parts of %s are %s; give all of them one type"
                        .formatted(slice.piece.name(), slice.source.dtype(), tensor.key(), first.dtype()));
            }
        }
        if (slices.size() == 1 && slices.getFirst().piece.isWhole()) {
            return first;
        }
        List<Long> shape = new ArrayList<>(slices.getFirst().piece.sizes());
        shape.set(0, rows);
        return new PartSource(tensor.key(), first.dtype(), shape, slices);
    }

    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
        for (Slice slice : slices) {
            write(out, slice.piece, slice.source);
        }
    }

    private static void write(WritableByteChannel out, Piece piece, TensorSource source) throws IOException {
        long width = Shape.elements(piece.shape().subList(1, piece.shape().size()));
        long first = piece.offsets().getFirst() * width;
        if (piece.isContiguous()) {
            source.writeRange(out, first, Shape.elements(piece.sizes()));
            return;
        }
        // Columns of a matrix: no family cuts along another axis.
        for (long row = 0; row < piece.sizes().getFirst(); row++) {
            source.writeRange(
                    out,
                    first + row * width + piece.offsets().get(1),
                    piece.sizes().get(1));
        }
    }

    private static TensorSource source(Piece piece, Map<String, TensorSource> sources) {
        TensorSource source = sources.get(piece.name());
        if (source == null) {
            throw new CheckpointException("tensor " + piece.name() + " is missing; give every tensor of the model");
        }
        if (!source.shape().equals(piece.shape())) {
            throw new CheckpointException("tensor %s has shape %s, but config.json says %s"
                    .formatted(piece.name(), source.shape(), piece.shape()));
        }
        return source;
    }
}
