package dev.sluice.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The checked header of a safetensors file: eight bytes of length, JSON, then the tensors without gaps.
 *
 * @param dataBegin position of the data part in the file
 * @param dataBytes size that the header asks for
 * @see <a href="https://github.com/huggingface/safetensors#format">safetensors, format</a>
 */
record SafetensorsHeader(
        SortedMap<String, TensorEntry> tensors, Map<String, String> metadata, long dataBegin, long dataBytes) {
    /** The bound of the reference library. */
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final String METADATA = "__metadata__";

    SafetensorsHeader {
        tensors = Collections.unmodifiableSortedMap(tensors);
        metadata = Collections.unmodifiableMap(metadata);
    }

    static SafetensorsHeader read(MappedFile file) {
        if (file.bytes() < 8) {
            throw broken(file, "has %d bytes, fewer than the 8 of a header length".formatted(file.bytes()));
        }
        long length = file.slice(0, 8).getLong();
        if (length < 2 || length > MAX_HEADER_BYTES || length > file.bytes() - 8) {
            throw broken(
                    file,
                    "claims a header of %s bytes in a file of %d bytes (at most %d are allowed)"
                            .formatted(Long.toUnsignedString(length), file.bytes(), MAX_HEADER_BYTES));
        }
        SafetensorsHeader header = parse(file, file.slice(8, length), 8 + length);
        long expected = header.dataBegin + header.dataBytes;
        if (file.bytes() != expected) {
            throw broken(
                    file,
                    "is %s: its header needs %d bytes, the file has %d"
                            .formatted(file.bytes() < expected ? "truncated" : "too long", expected, file.bytes()));
        }
        return header;
    }

    private static SafetensorsHeader parse(MappedFile file, ByteBuffer json, long dataBegin) {
        byte[] text = new byte[json.remaining()];
        json.get(text);
        SortedMap<String, TensorEntry> tensors = new TreeMap<>();
        Map<String, String> metadata = new TreeMap<>();
        JsonNode root = Json.object(text, file.path() + " header");
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            if (field.getKey().equals(METADATA)) {
                metadata.putAll(texts(file, field.getValue()));
            } else {
                tensors.put(field.getKey(), entry(file, field.getKey(), field.getValue()));
            }
        }
        return new SafetensorsHeader(tensors, metadata, dataBegin, contiguous(file, tensors));
    }

    private static Map<String, String> texts(MappedFile file, JsonNode node) {
        Map<String, String> texts = new TreeMap<>();
        node.properties()
                .forEach(field -> texts.put(field.getKey(), field.getValue().textValue()));
        if (!node.isObject() || texts.containsValue(null)) {
            throw broken(file, "has " + METADATA + " with something else than texts");
        }
        return texts;
    }

    private static TensorEntry entry(MappedFile file, String name, JsonNode node) {
        JsonNode offsets = node.path("data_offsets");
        JsonNode axes = node.path("shape");
        boolean wholeNumbers = integers(offsets) && integers(axes);
        if (!wholeNumbers || offsets.size() != 2 || axes.size() > Shape.MAX_RANK) {
            throw broken(file, "describes tensor " + name + " without a shape and two data offsets");
        }
        DType dtype = DType.of(node.path("dtype").asText())
                .orElseThrow(
                        () -> broken(file, "gives tensor %s the unknown dtype %s".formatted(name, node.path("dtype"))));
        List<Long> shape = new ArrayList<>();
        axes.forEach(axis -> shape.add(axis.longValue()));
        try {
            return new TensorEntry(
                    name,
                    dtype,
                    shape,
                    offsets.get(0).longValue(),
                    offsets.get(1).longValue());
        } catch (CheckpointException e) {
            throw broken(file, "is inconsistent: " + e.getMessage());
        }
    }

    private static boolean integers(JsonNode array) {
        boolean fit = array.isArray();
        for (JsonNode number : array) {
            fit &= number.isIntegralNumber() && number.canConvertToLong();
        }
        return fit;
    }

    /** As the reference library: no overlap, no hole. Returns the size of the data part. */
    private static long contiguous(MappedFile file, SortedMap<String, TensorEntry> tensors) {
        long end = 0;
        List<TensorEntry> byPosition = new ArrayList<>(tensors.values());
        byPosition.sort(Comparator.comparingLong(TensorEntry::begin).thenComparingLong(TensorEntry::end));
        for (TensorEntry tensor : byPosition) {
            if (tensor.begin() != end) {
                throw broken(
                        file,
                        "has %s: tensor %s begins at %d, the one before ends at %d"
                                .formatted(
                                        tensor.begin() < end ? "overlapping tensors" : "a hole",
                                        tensor.name(),
                                        tensor.begin(),
                                        end));
            }
            end = tensor.end();
        }
        return end;
    }

    private static CheckpointException broken(MappedFile file, String what) {
        return new CheckpointException(file.path() + " " + what + "; download or copy the file again");
    }

    /** The bytes before the data part, padded with spaces to a multiple of eight. */
    static byte[] encode(List<TensorEntry> tensors, Map<String, String> metadata) {
        var root = Json.MAPPER.createObjectNode();
        if (!metadata.isEmpty()) {
            var node = root.putObject(METADATA);
            new TreeMap<>(metadata).forEach(node::put);
        }
        for (TensorEntry tensor : tensors) {
            var node = root.putObject(tensor.name()).put("dtype", tensor.dtype().name());
            var shape = node.putArray("shape");
            tensor.shape().forEach(shape::add);
            node.putArray("data_offsets").add(tensor.begin()).add(tensor.end());
        }
        try {
            return Json.MAPPER.writeValueAsBytes(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of strings and numbers is always writable", e);
        }
    }
}
