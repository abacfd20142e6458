package dev.sluice.domain.stop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StopPatternTest {
    /** What Python's re.search says of the same. */
    @ParameterizedTest
    @CsvSource({
        "'Answer: \\d+\\.', 'so Answer: 42.', true",
        "'Answer: \\d+\\.', 'so Answer: 42', false",
        "'(?i)done|stop', 'It is DONE', true",
        "'</tool_call>\\s*$', 'x</tool_call>\n', true",
        "'[0-9]{3}', '12 34', false"
    })
    void searchesAnywhereInTheText(String regex, String text, boolean found) {
        assertThat(StopPattern.of(regex).isIn(text)).isEqualTo(found);
    }

    @Test
    void saysWhichOfSeveralMatches() {
        assertThat(StopPattern.firstIn(List.of(StopPattern.of("x+"), StopPattern.of("b")), "abc"))
                .contains("b");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            (?<=x)y           | no regular expression of RE2
            (a)\\1            | no regular expression of RE2
            (                 | no regular expression of RE2
            a*                | matches the empty text
            (((a{100}){100}){100}){100} | multiply to more than 1000
            (x{1000}){1000}   | multiply to more than 1000
            a{99999}          | multiply to more than 1000
            a{999}            | instructions; at most 512
            """)
    void refusesWhatCouldCostTimeOrMeansNothing(String regex, String why) {
        assertThat(StopPattern.objection(regex))
                .hasValueSatisfying(message -> assertThat(message).contains(why));
    }
}
