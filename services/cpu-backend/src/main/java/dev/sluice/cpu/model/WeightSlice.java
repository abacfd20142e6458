package dev.sluice.cpu.model;

import java.util.List;

/**
 * Where a tensor of the Hugging Face format lies in the fused tensors that {@link Model} computes with.
 *
 * @param name on-disk name, such as {@code model.layers.1.mlp.experts.3.up_proj.weight}
 * @param shape on-disk shape
 * @param fused name of the tensor in memory
 * @param axis along which the slice is cut: 0 for rows, 1 for columns
 * @param start first row or column
 * @param copy whether this is only a second name of a tensor that another slice already covers: the
 *     multi-token-prediction layer repeats the embedding and the head on disk. Copies are written, never read.
 */
public record WeightSlice(String name, List<Long> shape, String fused, int axis, long start, boolean copy) {
    public WeightSlice {
        shape = List.copyOf(shape);
    }

    /** Rows or columns that the slice takes. */
    public long length() {
        return shape.get(axis);
    }
}
