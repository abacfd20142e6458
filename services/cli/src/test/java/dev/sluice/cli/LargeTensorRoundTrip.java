package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TensorSource;
import dev.sluice.checkpoint.delta.DeltaChain;
import dev.sluice.checkpoint.delta.DeltaChecksum;
import dev.sluice.checkpoint.delta.DeltaEncoding;
import dev.sluice.checkpoint.delta.DeltaFigures;
import dev.sluice.checkpoint.delta.DeltaOptions;
import dev.sluice.checkpoint.delta.DeltaWriter;
import dev.sluice.checkpoint.delta.WeightVersion;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Converts, compares and patches a small model whose embedding alone has 2.1 GiB, zeros but for its ends. Not part of the build, since it writes 9 GB:
 *
 * <pre>
 * ./mvnw -q -pl services/cli -am test -Dtest=LargeTensorRoundTrip -Dsurefire.failIfNoSpecifiedTests=false
 * </pre>
 */
class LargeTensorRoundTrip {
    private static final Path CONFIG =
            CheckpointFixtures.HUGGING_FACE.resolveSibling("families").resolve("qwen3/hf/config.json");
    private static final String EMBEDDING = "model.embed_tokens.weight";
    private static final long ROWS = 14_000_001;
    private static final long HIDDEN = 80;

    @TempDir
    private Path folder;

    @Test
    void aTensorBeyondTwoGibibytesIsConvertedComparedAndPatched() throws IOException {
        Path model = folder.resolve("model");
        Path there = folder.resolve("there");
        Path back = folder.resolve("back");
        write(model);

        succeeds("convert", model, there);
        assertThat(CommandOutcome.of("inspect", there).out()).contains("2.24 GB");
        assertThat(CommandOutcome.of("verify", model, there).out()).contains("13 of 13 tensors in common are equal");
        assertThat(CommandOutcome.of("convert", there, back, "--config", model).exitCode())
                .isEqualTo(ExitCode.OK);
        succeeds("verify", model, back);

        // When its last byte changes
        CheckpointFixtures.damage(back.resolve("model.safetensors"), trailing(back), 0x80);
        JsonNode difference = CommandOutcome.of("diff", there, back, "--json").json();
        assertThat(CommandOutcome.of("verify", model, back).out())
                .contains(EMBEDDING + "  1 of 1,120,000,080 elements, the first at [14000000, 79]");
        assertThat(difference.at("/changes/0/changedElements").asInt()).isEqualTo(1);

        for (DeltaEncoding encoding : DeltaEncoding.values()) {
            patches(model, back, encoding);
        }
    }

    private static void succeeds(Object... command) {
        CommandOutcome outcome = CommandOutcome.of(command);
        assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(ExitCode.OK);
    }

    private void patches(Path model, Path changed, DeltaEncoding encoding) throws IOException {
        Path stream = folder.resolve("stream-" + encoding);
        Path patched = folder.resolve("patched-" + encoding);
        WeightVersion first = new WeightVersion(1);
        Files.createDirectory(stream);
        try (HuggingFaceCheckpoint base = HuggingFaceCheckpoint.open(model);
                HuggingFaceCheckpoint next = HuggingFaceCheckpoint.open(changed)) {
            List<TensorSource> tensors =
                    next.tensors().keySet().stream().map(next::source).toList();
            DeltaFigures figures = DeltaWriter.write(
                    base, tensors, stream, first, new DeltaOptions(encoding, DeltaChecksum.XXH3_128, 2));
            assertThat(figures.changedBytes()).isEqualTo(1);
        }
        DeltaChain chain = DeltaChain.between(stream, new WeightVersion(0), first);
        chain.apply(model, patched, 2);
        chain.verify(model, patched, 2);
        succeeds("verify", patched, changed);
    }

    /** A layer of zeros around the embedding; holes take no room. */
    private static void write(Path model) throws IOException {
        Files.createDirectory(model);
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode config = (ObjectNode) mapper.readTree(CONFIG.toFile());
        config.put("vocab_size", ROWS).put("hidden_size", HIDDEN).put("num_hidden_layers", 1);
        config.put("tie_word_embeddings", true);
        mapper.writeValue(model.resolve("config.json").toFile(), config);
        ObjectNode header = mapper.createObjectNode();
        long end = 0;
        for (Map.Entry<String, List<Long>> tensor : shapes().entrySet()) {
            ObjectNode entry = header.putObject(tensor.getKey()).put("dtype", "BF16");
            tensor.getValue().forEach(entry.putArray("shape")::add);
            long begin = end;
            end += 2 * tensor.getValue().stream().reduce(1L, (a, b) -> a * b);
            entry.putArray("data_offsets").add(begin).add(end);
        }
        byte[] json = mapper.writeValueAsBytes(header);
        try (FileChannel out = FileChannel.open(
                model.resolve("model.safetensors"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            out.write(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(json.length)
                    .flip());
            out.write(ByteBuffer.wrap(json));
            long data = out.position();
            out.write(ByteBuffer.wrap(new byte[] {3, 4}), data + end - 2);
            long embedding = end - 2 * ROWS * HIDDEN;
            out.write(ByteBuffer.wrap(new byte[] {1, 2}), data + embedding);
        }
    }

    /** The names of Qwen3, with the sizes of the fixture's configuration; the embedding last. */
    private static Map<String, List<Long>> shapes() {
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        String layer = "model.layers.0.";
        shapes.put(layer + "input_layernorm.weight", List.of(HIDDEN));
        shapes.put(layer + "post_attention_layernorm.weight", List.of(HIDDEN));
        shapes.put(layer + "self_attn.q_norm.weight", List.of(8L));
        shapes.put(layer + "self_attn.k_norm.weight", List.of(8L));
        shapes.put(layer + "self_attn.q_proj.weight", List.of(32L, HIDDEN));
        shapes.put(layer + "self_attn.k_proj.weight", List.of(16L, HIDDEN));
        shapes.put(layer + "self_attn.v_proj.weight", List.of(16L, HIDDEN));
        shapes.put(layer + "self_attn.o_proj.weight", List.of(HIDDEN, 32L));
        shapes.put(layer + "mlp.gate_proj.weight", List.of(24L, HIDDEN));
        shapes.put(layer + "mlp.up_proj.weight", List.of(24L, HIDDEN));
        shapes.put(layer + "mlp.down_proj.weight", List.of(HIDDEN, 24L));
        shapes.put("model.norm.weight", List.of(HIDDEN));
        shapes.put(EMBEDDING, List.of(ROWS, HIDDEN));
        return shapes;
    }

    /** Bytes from the embedding's last to the end of its file. */
    private static long trailing(Path model) {
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model)) {
            long last = checkpoint.tensors().values().stream()
                    .mapToLong(tensor -> tensor.end())
                    .max()
                    .orElseThrow();
            return last - checkpoint.tensors().get(EMBEDDING).end() + 1;
        }
    }
}
