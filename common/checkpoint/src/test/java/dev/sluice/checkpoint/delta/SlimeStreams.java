package dev.sluice.checkpoint.delta;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.luben.zstd.Zstd;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.Json;
import dev.sluice.checkpoint.TensorSource;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Versions that slime's code published; src/test/fixtures/README.md says how. */
final class SlimeStreams {
    private static final Path ROOT =
            Path.of(System.getProperty("sluice.root", "../.."), "common/checkpoint/src/test/fixtures/delta_slime");

    static final Path BASE = ROOT.resolve("base");

    /** The order in which the trainer compared them. */
    static final List<String> TENSORS = List.of(
            "model.embed_tokens.weight",
            "model.layers.0.mlp.up_proj.weight",
            "model.layers.0.mlp.gate.e_score_correction_bias",
            "model.layers.0.input_layernorm.weight",
            "model.layers.0.self_attn.q_proj.weight",
            "model.layers.1.frozen.weight",
            "lm_head.weight");

    private SlimeStreams() {}

    static Path stream(String name) {
        return ROOT.resolve(name);
    }

    static Path expected(int version) {
        return ROOT.resolve("expected_v%06d".formatted(version));
    }

    /** Changed bytes, total bytes and wire bytes as slime counted them. */
    static JsonNode figures(String stream, int version) {
        return Json.file(ROOT.resolve("figures.json")).path(stream).get(version - 1);
    }

    static List<TensorSource> sources(HuggingFaceCheckpoint checkpoint) {
        return TENSORS.stream().map(checkpoint::source).toList();
    }

    /** Decompressed payloads by tensor. */
    static SortedMap<String, byte[]> payloads(DeltaCheckpoint delta) {
        SortedMap<String, byte[]> payloads = new TreeMap<>();
        for (StoredDelta stored : delta.stored()) {
            byte[] bytes = new byte[(int) stored.frame().bytes()];
            stored.frame().slice(0, bytes.length).get(bytes);
            payloads.put(stored.tensor(), Zstd.decompress(bytes, (int) Zstd.getFrameContentSize(bytes)));
        }
        return payloads;
    }
}
