package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.MegatronTensor.Cut;
import dev.sluice.checkpoint.MegatronTensor.Part;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PartSourceTest {
    private static final List<Long> SHAPE = List.of(2L, 4L);
    private static final TensorSource NUMBERS =
            TensorSource.of("numbers", DType.U8, SHAPE, ByteBuffer.wrap(new byte[] {0, 1, 2, 3, 4, 5, 6, 7}));

    @Test
    void takesColumnsRowByRow() throws IOException {
        assertThat(written(part(new Cut("numbers", SHAPE, List.of(0L, 1L), List.of(2L, 2L))), NUMBERS))
                .containsExactly(1, 2, 5, 6);
    }

    @Test
    void takesRowsInTheOrderOfThePieces() throws IOException {
        Part part = part(
                new Cut("numbers", SHAPE, List.of(1L, 0L), List.of(1L, 4L)),
                new Cut("numbers", SHAPE, List.of(0L, 0L), List.of(1L, 4L)));
        assertThat(written(part, NUMBERS)).containsExactly(4, 5, 6, 7, 0, 1, 2, 3);
    }

    @Test
    void takesARangeEvenOfASourceThatCanOnlyWriteAll() throws IOException {
        assertThat(written(part(new Cut("numbers", SHAPE, List.of(0L, 2L), List.of(2L, 1L))), new WritesAll()))
                .containsExactly(2, 6);
    }

    @Test
    void isTheSourceItselfWhenThePartIsTheWholeTensor() {
        assertThat(source(part(Cut.whole("numbers", SHAPE)), NUMBERS)).isSameAs(NUMBERS);
    }

    @Test
    void namesATensorOfAnotherShape() {
        Cut cut = Cut.whole("numbers", List.of(4L, 4L));
        assertThatThrownBy(() -> source(part(cut), NUMBERS))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("tensor numbers has shape [2, 4], but config.json says [4, 4]");
    }

    @Test
    void namesATensorThatIsMissing() {
        Cut cut = Cut.whole("others", SHAPE);
        assertThatThrownBy(() -> source(part(cut), NUMBERS))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tensor others is missing");
    }

    @Test
    void namesATensorOfAnotherTypeThanItsNeighbours() {
        TensorSource others = TensorSource.of("others", DType.BF16, SHAPE, ByteBuffer.wrap(new byte[16]));
        Part part = part(Cut.whole("numbers", SHAPE), Cut.whole("others", SHAPE));
        assertThatThrownBy(() -> PartSource.of(tensor(part), part, Map.of("numbers", NUMBERS, "others", others)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("others is BF16, but other parts of fused are U8");
    }

    private static byte[] written(Part part, TensorSource source) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (WritableByteChannel channel = Channels.newChannel(bytes)) {
            source(part, source).writeTo(channel);
        }
        assertThat(bytes.size()).isEqualTo((int) source(part, source).bytes());
        return bytes.toByteArray();
    }

    private static TensorSource source(Part part, TensorSource source) {
        return PartSource.of(tensor(part), part, Map.of("numbers", source));
    }

    private static MegatronTensor tensor(Part part) {
        return new MegatronTensor("fused", SHAPE, false, false, List.of(part));
    }

    private static Part part(Cut... cuts) {
        return new Part(List.of(0L, 0L), SHAPE, List.of(cuts));
    }

    private record WritesAll() implements TensorSource {
        @Override
        public String name() {
            return NUMBERS.name();
        }

        @Override
        public DType dtype() {
            return NUMBERS.dtype();
        }

        @Override
        public List<Long> shape() {
            return SHAPE;
        }

        @Override
        public void writeTo(WritableByteChannel out) throws IOException {
            out.write(ByteBuffer.wrap(new byte[] {0, 1, 2}));
            out.write(ByteBuffer.wrap(new byte[] {3, 4, 5, 6, 7}));
        }
    }
}
