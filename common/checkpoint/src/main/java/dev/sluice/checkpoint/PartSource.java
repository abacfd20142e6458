package dev.sluice.checkpoint;

import dev.sluice.checkpoint.MegatronTensor.Cut;
import dev.sluice.checkpoint.MegatronTensor.Part;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The bytes of one chunk, read cut by cut from the tensors it consists of; padded rows are not among them. */
record PartSource(String name, DType dtype, List<Long> shape, List<Slice> slices) implements TensorSource {
    /** A cut and the tensor to take it from. */
    record Slice(Cut cut, TensorSource source) {}

    /**
     * The source of a part.
     *
     * @param sources the model's tensors by name
     * @throws CheckpointException if a tensor is missing, has another shape than the plan says, or another type than its neighbours
     */
    static TensorSource of(MegatronTensor tensor, Part part, Map<String, TensorSource> sources) {
        List<Slice> slices = new ArrayList<>();
        long rows = 0;
        for (Cut cut : part.cuts()) {
            slices.add(new Slice(cut, source(cut, sources)));
            rows += cut.sizes().getFirst();
        }
        TensorSource first = slices.getFirst().source;
        for (Slice slice : slices) {
            if (slice.source.dtype() != first.dtype()) {
                throw new CheckpointException("%s is %s, but other parts of %s are %s; give all of them one type"
                        .formatted(slice.cut.name(), slice.source.dtype(), tensor.key(), first.dtype()));
            }
        }
        if (slices.size() == 1 && slices.getFirst().cut.isWhole()) {
            return first;
        }
        List<Long> shape = new ArrayList<>(slices.getFirst().cut.sizes());
        shape.set(0, rows);
        return new PartSource(tensor.key(), first.dtype(), shape, slices);
    }

    @Override
    public void writeTo(WritableByteChannel out) throws IOException {
        for (Slice slice : slices) {
            write(out, slice.cut, slice.source);
        }
    }

    private static void write(WritableByteChannel out, Cut cut, TensorSource source) throws IOException {
        long width = Shape.elements(cut.shape().subList(1, cut.shape().size()));
        long first = cut.offsets().getFirst() * width;
        if (cut.isContiguous()) {
            source.writeRange(out, first, Shape.elements(cut.sizes()));
            return;
        }
        // Columns of a matrix: no family cuts along another axis.
        for (long row = 0; row < cut.sizes().getFirst(); row++) {
            source.writeRange(
                    out, first + row * width + cut.offsets().get(1), cut.sizes().get(1));
        }
    }

    private static TensorSource source(Cut cut, Map<String, TensorSource> sources) {
        TensorSource source = sources.get(cut.name());
        if (source == null) {
            throw new CheckpointException("tensor " + cut.name() + " is missing; give every tensor of the model");
        }
        if (!source.shape().equals(cut.shape())) {
            throw new CheckpointException("tensor %s has shape %s, but config.json says %s"
                    .formatted(cut.name(), source.shape(), cut.shape()));
        }
        return source;
    }
}
