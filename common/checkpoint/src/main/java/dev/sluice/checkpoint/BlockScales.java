package dev.sluice.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Which tensors of a checkpoint are 8-bit floats with one scale a block, as DeepSeek publishes its models.
 *
 * @param rows rows of a block
 * @param columns columns of a block
 * @param tensors all tensors of the checkpoint
 * @see <a href="https://huggingface.co/deepseek-ai/DeepSeek-V3/blob/main/README_WEIGHTS.md">DeepSeek-V3, README_WEIGHTS</a>
 */
record BlockScales(long rows, long columns, Map<String, TensorEntry> tensors) {
    private static final long PUBLISHED_BLOCK = 128;
    private static final String SUFFIX = "_scale_inv";
    private static final Set<DType> SCALES = EnumSet.of(DType.F32, DType.BF16);

    static BlockScales of(JsonNode config, Map<String, TensorEntry> tensors) {
        JsonNode block = config.path("quantization_config").path("weight_block_size");
        long rows = block.path(0).asLong(PUBLISHED_BLOCK);
        long columns = block.path(1).asLong(PUBLISHED_BLOCK);
        if (rows <= 0 || columns <= 0) {
            throw new CheckpointException(
                    "config.json: weight_block_size is %s; two positive numbers are needed".formatted(block));
        }
        return new BlockScales(rows, columns, tensors);
    }

    static String nameOf(String weight) {
        return weight + SUFFIX;
    }

    /** Whether the tensor is an 8-bit weight that has scales. */
    boolean has(String weight) {
        TensorEntry tensor = tensors.get(weight);
        return tensor != null && tensor.dtype() == DType.F8_E4M3 && tensors.containsKey(nameOf(weight));
    }

    /** The 8-bit weights that have scales. */
    SortedSet<String> weights() {
        return tensors.keySet().stream().filter(this::has).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Whether the tensor holds the scales of another one and means nothing without it. */
    boolean isScale(String name) {
        return name.endsWith(SUFFIX) && has(name.substring(0, name.length() - SUFFIX.length()));
    }

    /** What is wrong with the scales of a weight that has some. */
    Optional<String> problem(String weight) {
        List<Long> shape = tensors.get(weight).shape();
        TensorEntry scales = tensors.get(nameOf(weight));
        if (shape.size() != 2) {
            return Optional.of("%s is F8_E4M3 %s, not a matrix".formatted(weight, shape));
        }
        List<Long> blocks = List.of(Math.ceilDiv(shape.get(0), rows), Math.ceilDiv(shape.get(1), columns));
        return scales.shape().equals(blocks) && SCALES.contains(scales.dtype())
                ? Optional.empty()
                : Optional.of("%s is %s %s, not F32 %s for blocks of %d x %d"
                        .formatted(nameOf(weight), scales.dtype(), scales.shape(), blocks, rows, columns));
    }
}
