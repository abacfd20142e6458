package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The numbers are their own positions; small whole numbers are exact in every float type. */
class StoredSourceTest {
    private static final TensorEntry ENTRY = new TensorEntry("numbers", DType.F32, List.of(2L, 4L), 0, 32);

    private final List<Long> asked = new ArrayList<>();

    @Test
    void readsOnlyTheElementsOfARange() throws IOException {
        // Given
        TensorSource source = StoredSource.mapped("numbers", ENTRY, DType.BF16, Numbers::new);

        // When
        List<Float> written = written(source, 3, 2);

        // Then
        assertThat(written).containsExactly(3f, 4f);
        assertThat(asked).containsExactly(3L, 2L);
    }

    @Test
    void takesARangeOfWhatCanOnlyBeWrittenAsAWhole() throws IOException {
        // Given
        TensorSource source = StoredSource.streamed("numbers", ENTRY, DType.BF16, out -> {
            out.write(numbers(0, 4));
            out.write(numbers(4, 4));
        });

        // When / Then
        assertThat(written(source, 3, 2)).containsExactly(3f, 4f);
        assertThat(written(source, 0, 8)).containsExactly(0f, 1f, 2f, 3f, 4f, 5f, 6f, 7f);
    }

    private final class Numbers implements ByteRange {
        @Override
        public long bytes() {
            return ENTRY.bytes();
        }

        @Override
        public ByteBuffer slice(long begin, long length) {
            asked.addAll(List.of(begin / Float.BYTES, length / Float.BYTES));
            return numbers(begin / Float.BYTES, length / Float.BYTES);
        }
    }

    private static ByteBuffer numbers(long first, long elements) {
        ByteBuffer numbers = ByteBuffer.allocate((int) elements * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long number = first; number < first + elements; number++) {
            numbers.putFloat(number);
        }
        return numbers.flip();
    }

    private static List<Float> written(TensorSource source, long first, long elements) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (WritableByteChannel channel = Channels.newChannel(bytes)) {
            source.writeRange(channel, first, elements);
        }
        ByteBuffer written = ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
        List<Float> numbers = new ArrayList<>();
        while (written.hasRemaining()) {
            numbers.add(FloatTypes.get(written, DType.BF16));
        }
        return numbers;
    }
}
