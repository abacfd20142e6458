package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TextDeltasTest {
    @Test
    void piecesAddUpToTheText() {
        TextDeltas deltas = new TextDeltas(List.of());

        assertThat(deltas.next("ab", false)).isEqualTo("ab");
        assertThat(deltas.next("ab", false)).isEmpty();
        assertThat(deltas.next("abcd", true)).isEqualTo("cd");
    }

    @Test
    void halfACharacterWaitsForItsOtherHalf() {
        TextDeltas deltas = new TextDeltas(List.of());

        assertThat(deltas.next("a\uFFFD", false)).isEqualTo("a");
        assertThat(deltas.next("a\u00e9", false)).isEqualTo("\u00e9");
        assertThat(deltas.next("a\u00e9\uFFFD", true)).as("the end is the end").isEqualTo("\uFFFD");
    }

    @Test
    void theBeginningOfAStopTextWaitsUntilItIsOneOrNot() {
        TextDeltas deltas = new TextDeltas(List.of("###", "stop"));

        assertThat(deltas.next("go#", false)).isEqualTo("go");
        assertThat(deltas.next("go#x", false)).isEqualTo("#x");
        assertThat(deltas.next("go#x##", false)).isEmpty();
        assertThat(deltas.next("go#x", true)).as("the engine cut it off").isEmpty();
    }
}
