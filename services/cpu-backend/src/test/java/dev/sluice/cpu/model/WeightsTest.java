package dev.sluice.cpu.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TensorEntry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@SuppressWarnings("try") // scopes work by being open
class WeightsTest {
    private HuggingFaceCheckpoint checkpoint;

    @BeforeEach
    void openCheckpoint() {
        checkpoint = HuggingFaceCheckpoint.open(ParityFixtures.huggingFaceDirectory());
    }

    @AfterEach
    void closeCheckpoint() {
        checkpoint.close();
    }

    @Test
    void everyTensorIsWrittenByteForByteAsItWasRead() throws IOException {
        Map<String, byte[]> expected = new HashMap<>();
        checkpoint.tensors().keySet().forEach(name -> expected.put(name, bytes(checkpoint.data(name))));

        Map<String, byte[]> written = new HashMap<>();
        try (Weights weights = Weights.load(checkpoint)) {
            for (WeightSource source : WeightSource.all(weights, DType.BF16)) {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                try (WritableByteChannel channel = Channels.newChannel(out)) {
                    source.writeTo(channel);
                }
                written.put(source.name(), out.toByteArray());
            }
        }

        assertThat(written.keySet()).isEqualTo(expected.keySet());
        written.forEach((name, bytes) -> assertThat(bytes).as(name).isEqualTo(expected.get(name)));
    }

    @Test
    void expertsLieSideBySideInTheFusedTensors() {
        try (Weights weights = Weights.load(checkpoint);
                PointerScope scope = new PointerScope()) {
            Tensor up = weights.get("layers.1.experts_gate_up").narrow(0, (2 * 3 + 1) * 40L, 40);
            Tensor down = weights.get("layers.1.experts_down").narrow(1, 3 * 40L, 40);

            assertThat(firstValue(up)).isEqualTo(stored("model.layers.1.mlp.experts.3.up_proj.weight"));
            assertThat(firstValue(down)).isEqualTo(stored("model.layers.1.mlp.experts.3.down_proj.weight"));
        }
    }

    @Test
    void newValuesReachWhoeverHoldsTheTensor() {
        try (Weights weights = Weights.zeros(ModelConfig.of(checkpoint.config()))) {
            Tensor held = weights.get("norm");

            weights.putAll(checkpoint.tensors(), checkpoint::data);

            assertThat(firstValue(held)).isEqualTo(stored("model.norm.weight"));
        }
    }

    @Test
    void aLayerThatIsAnnouncedButNotStoredIsLeftOut() {
        Map<String, TensorEntry> withoutMtp = new TreeMap<>(checkpoint.tensors());
        withoutMtp.keySet().removeIf(name -> name.startsWith("model.layers.3."));
        ModelConfig config = ModelConfig.of(checkpoint.config()).withoutMtp();

        try (Weights weights = Weights.zeros(config)) {
            weights.putAll(withoutMtp, checkpoint::data);

            assertThat(weights.slices()).hasSize(withoutMtp.size());
        }
    }

    @Test
    void whatDoesNotFitIsNamedAndNothingIsChanged() {
        Map<String, TensorEntry> broken = new TreeMap<>(checkpoint.tensors());
        broken.remove("model.norm.weight");
        broken.put("model.extra", broken.get("lm_head.weight"));

        try (Weights weights = Weights.zeros(ModelConfig.of(checkpoint.config()))) {
            assertThatThrownBy(() -> weights.putAll(broken, checkpoint::data))
                    .hasMessageContainingAll("in 2 places", "model.norm.weight is missing", "model.extra is unknown");
            assertThat(firstValue(weights.get("head"))).isZero();
        }
    }

    private float stored(String name) {
        // A bfloat16 is the upper half of its float32.
        return Float.intBitsToFloat(checkpoint.data(name).getShort(0) << 16);
    }

    private static float firstValue(Tensor tensor) {
        return Tensors.floats(tensor)[0];
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }
}
