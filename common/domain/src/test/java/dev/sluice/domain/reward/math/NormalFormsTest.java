package dev.sluice.domain.reward.math;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Expected: slime's own tests of its graders. */
class NormalFormsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\\frac12 | \\frac{1}{2}",
                ".7 | 0.7",
                ".5 | \\frac{1}{2}",
                "0.5 | \\frac{1}{2}",
                "45^\\circ | 45",
                "3/4 | \\frac{3}{4}",
                "\\left(1\\right) | (1)",
            })
    void hendrycksFormOfAnAnswer(String answer, String form) {
        assertThat(MathdForm.of(answer)).isEqualTo(form);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "x = 42 | 42",
                "42 square | 42",
                "100 dollars | 100",
                "1,234,567 | 1234567",
                "a b c | bc",
                "an answer | answer",
            })
    void minervasFormOfAnAnswer(String answer, String form) {
        assertThat(MinervaForm.of(answer)).isEqualTo(form);
    }
}
