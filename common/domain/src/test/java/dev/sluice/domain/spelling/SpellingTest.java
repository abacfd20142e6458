package dev.sluice.domain.spelling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpellingTest {
    /** Worked by hand; kitten and sitting are the textbook pair. */
    @ParameterizedTest
    @CsvSource({"kitten,sitting,3", "lable,label,1", "abc,abc,0", "steps,STEPS,0", "ab,ba,1", "'',abc,3"})
    void countsLettersToChange(String one, String other, int expected) {
        assertThat(Spelling.distance(one, other)).isEqualTo(expected);
    }

    @Test
    void namesTheNearestKnownWord() {
        assertThat(Spelling.didYouMean("groupPerStep", List.of("groupsPerStep", "samplesPerPrompt")))
                .isEqualTo("; did you mean groupsPerStep?");
    }

    @Test
    void saysNothingWhereNoKnownWordIsNear() {
        assertThat(Spelling.didYouMean("banana", List.of("groupsPerStep", "steps")))
                .isEmpty();
    }

    @Test
    void doesNotCompareAWordWithoutEnd() {
        assertThat(Spelling.nearest("a".repeat(1_000_000), List.of("a"))).isEmpty();
    }
}
