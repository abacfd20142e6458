package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class WrappedTest {
    @Test
    void linesBreakAtTheLastSpaceThatFits() {
        assertThat(Wrapped.lines("four GPUs share one engine", 10)).containsExactly("four GPUs", "share one", "engine");
    }

    @Test
    void aWordLongerThanALineIsCut() {
        assertThat(Wrapped.lines("see /data/GLM-4.7-Flash/config.json", 12))
                .containsExactly("see", "/data/GLM-4.", "7-Flash/conf", "ig.json");
    }

    @Test
    void noTextIsOneEmptyLine() {
        assertThat(Wrapped.lines("  ", 10)).containsExactly("");
    }

    @Test
    void aHardSpaceKeepsAFigureAndItsUnitTogether() {
        assertThat(Wrapped.lines("needs 3.58" + Wrapped.HARD_SPACE + "B", 10)).containsExactly("needs", "3.58 B");
    }

    @Test
    void controlCharactersCannotMoveTheCursor() {
        assertThat(Wrapped.lines("a\u001b[2Kb\nc", 10)).containsExactly("a?[2Kb c");
    }

    @Test
    void furtherLinesBeginBelowTheFirst() {
        assertThat(Wrapped.after("  host  ", "20 bytes a parameter over two nodes", 30))
                .containsExactly("  host  20 bytes a parameter", "        over two nodes");
    }

    @Test
    void aLabelThatLeavesNoRoomIsWrappedWithItsText() {
        assertThat(Wrapped.after("a label of many words ", "and text", 24))
                .containsExactly("a label of many words", "and text");
    }

    @Test
    void linesWithoutRoomAreRefused() {
        assertThatThrownBy(() -> Wrapped.lines("text", 0)).hasMessage("text cannot be wrapped to 0 columns");
    }
}
