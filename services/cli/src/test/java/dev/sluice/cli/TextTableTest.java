package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TextTableTest {
    private static TextTable table() {
        TextTable table = new TextTable("rule", "because");
        table.row("M02", "16 GPUs are not a multiple of 24");
        table.row("training.layout", "short");
        return table;
    }

    @Test
    void columnsAreAsWideAsTheirWidestCell() {
        assertThat(table().toString()).isEqualTo("""
                rule             because
                M02              16 GPUs are not a multiple of 24
                training.layout  short""");
    }

    @Test
    void theWidestColumnGivesWayFirstAndItsCellsGoOnBelow() {
        assertThat(table().lines(37))
                .containsExactly(
                        "rule             because",
                        "M02              16 GPUs are not a",
                        "                 multiple of 24",
                        "training.layout  short");
    }

    @Test
    void wordsAreCutOnlyWhereNoColumnHasRoomBetweenWords() {
        assertThat(table().lines(21))
                .containsExactly(
                        "rule         because",
                        "M02          16 GPUs",
                        "             are not",
                        "             a",
                        "             multiple",
                        "             of 24",
                        "training.la  short",
                        "yout");
    }

    @Test
    void aTableThatFitsIsNotWrapped() {
        assertThat(table().lines(100)).isEqualTo(table().toString().lines().toList());
    }

    @Test
    void lessThanACharacterForAColumnIsRefused() {
        assertThatThrownBy(() -> table().lines(3)).hasMessage("1 characters for 2 columns");
    }
}
