package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WindowTest {
    @Test
    void cutsRowsWhereAWholeTensorIsTooLarge() {
        assertThat(Window.of(List.of(5L, 4L), 8))
                .containsExactly(
                        new Window(0, 8, List.of(0L, 0L), List.of(2L, 4L)),
                        new Window(8, 8, List.of(2L, 0L), List.of(2L, 4L)),
                        new Window(16, 4, List.of(4L, 0L), List.of(1L, 4L)));
    }

    @Test
    void cutsWithinARowThatIsTooLarge() {
        assertThat(Window.of(List.of(2L, 5L), 3))
                .containsExactly(
                        new Window(0, 3, List.of(0L, 0L), List.of(1L, 3L)),
                        new Window(3, 2, List.of(0L, 3L), List.of(1L, 2L)),
                        new Window(5, 3, List.of(1L, 0L), List.of(1L, 3L)),
                        new Window(8, 2, List.of(1L, 3L), List.of(1L, 2L)));
    }

    @Test
    void aScalarIsOneWindowAndAnEmptyTensorNone() {
        assertThat(Window.of(List.of(), 8)).containsExactly(new Window(0, 1, List.of(), List.of()));
        assertThat(Window.of(List.of(0L, 4L), 8)).isEmpty();
        assertThat(Window.of(List.of(4L, 0L), 8)).isEmpty();
        assertThatThrownBy(() -> Window.of(List.of(4L), 0)).hasMessageContaining("windows of 0");
    }

    /** Every element once and in order, each window a box whose corner is where its first element is. */
    @Test
    void coversAnyTensorInOrder() {
        long seed = 20_260_822;
        Random random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            List<Long> shape = new ArrayList<>();
            for (int axis = random.nextInt(1, 5); axis > 0; axis--) {
                shape.add(random.nextLong(1, 7));
            }
            int max = random.nextInt(1, 40);
            long next = 0;
            for (Window window : Window.of(shape, max)) {
                assertThat(window.first())
                        .as("seed %d, %s by %d", seed, shape, max)
                        .isEqualTo(next);
                assertThat(window.elements()).isBetween(1, max);
                assertThat(Shape.elements(window.sizes())).isEqualTo(window.elements());
                assertThat(position(window.offsets(), shape)).isEqualTo(window.first());
                next += window.elements();
            }
            assertThat(next).as("seed %d, %s by %d", seed, shape, max).isEqualTo(Shape.elements(shape));
        }
    }

    private static long position(List<Long> offsets, List<Long> shape) {
        long position = 0;
        for (int axis = 0; axis < shape.size(); axis++) {
            position = position * shape.get(axis) + offsets.get(axis);
        }
        return position;
    }
}
