package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class PromptOrderTest {
    /** From a Python script of 20 lines that does what the class comment says; it is not this program's output. */
    @Test
    void shufflesEachPassAnew() {
        PromptOrder order = new PromptOrder(10, true, 42);

        assertThat(pass(order, 0)).containsExactly(5, 1, 9, 6, 7, 2, 4, 0, 8, 3);
        assertThat(pass(order, 1)).containsExactly(8, 9, 1, 7, 6, 4, 3, 2, 0, 5);
        assertThat(pass(order, 2)).containsExactly(6, 1, 5, 7, 4, 8, 3, 2, 9, 0);
    }

    @Test
    void givesTheSameRowForACursorWhateverWasAskedBefore() {
        PromptOrder order = new PromptOrder(10, true, 42);
        LongStream.of(95, 3, 40, 71).forEach(order::row);

        assertThat(pass(order, 0)).containsExactly(5, 1, 9, 6, 7, 2, 4, 0, 8, 3);
    }

    @Test
    void keepsTheFilesOrderWithoutShuffling() {
        PromptOrder order = new PromptOrder(3, false, 42);

        assertThat(LongStream.range(0, 7).map(order::row)).containsExactly(0L, 1L, 2L, 0L, 1L, 2L, 0L);
    }

    @Test
    void seedsAGroupByItsPlaceAndRound() {
        PromptOrder order = new PromptOrder(3, true, 42);

        assertThat(List.of(
                        order.samplingSeed(0, 0),
                        order.samplingSeed(1, 0),
                        order.samplingSeed(0, 1),
                        new PromptOrder(3, true, 43).samplingSeed(0, 0)))
                .doesNotHaveDuplicates()
                .allMatch(seed -> seed >= 0);
    }

    @Test
    void needsARow() {
        assertThatThrownBy(() -> new PromptOrder(0, true, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("data.prompts");
    }

    private static List<Integer> pass(PromptOrder order, long pass) {
        return LongStream.range(pass * 10, pass * 10 + 10).mapToObj(order::row).toList();
    }
}
