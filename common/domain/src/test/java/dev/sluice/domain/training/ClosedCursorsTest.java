package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ClosedCursorsTest {
    @Test
    void keepABoundAndWhatIsAboveIt() {
        ClosedCursors closed = new ClosedCursors(3, List.of(5L));

        assertThat(closed.close(7)).isTrue();
        assertThat(closed.close(5)).isFalse();
        assertThat(closed.close(3)).isTrue();

        assertThat(closed.below()).isEqualTo(4);
        assertThat(closed.above()).containsExactly(5L, 7L);
        assertThat(closed.isOpen(4)).isTrue();
        assertThat(closed.isOpen(2)).isFalse();
    }
}
