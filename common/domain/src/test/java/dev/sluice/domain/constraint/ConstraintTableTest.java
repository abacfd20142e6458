package dev.sluice.domain.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Problem;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each constraint is kept by one candidate and broken by another, which breaks nothing else. */
class ConstraintTableTest {
    static Stream<RuleCase> kept() {
        return ConstraintCases.kept();
    }

    static Stream<RuleCase> broken() {
        return ConstraintCases.broken();
    }

    @Test
    void everyConstraintHasACandidateThatKeepsItAndOneThatBreaksIt() {
        List<String> ids = Constraints.ALL.stream().map(Constraint::id).toList();

        assertThat(ids).hasSize(123);
        assertThat(kept().map(RuleCase::rule).distinct()).containsExactlyInAnyOrderElementsOf(ids);
        assertThat(broken().map(RuleCase::rule).distinct()).containsExactlyInAnyOrderElementsOf(ids);
    }

    @ParameterizedTest
    @MethodSource("kept")
    void acceptsWhatKeepsTheRuleAndAllOthers(RuleCase rule) {
        assertThat(Constraints.broken(rule.candidate()))
                .extracting(Problem::rule)
                .containsExactlyInAnyOrderElementsOf(rule.beside());
    }

    @ParameterizedTest
    @MethodSource("broken")
    void tellsWhatBreaksTheRuleAndHowToMendIt(RuleCase rule) {
        assertThat(ConstraintCases.constraint(rule.rule()).problem(rule.candidate()))
                .hasValueSatisfying(problem -> {
                    assertThat(problem.rule()).isEqualTo(rule.rule());
                    assertThat(problem.message()).contains(rule.told());
                    assertThat(problem.mend())
                            .contains(rule.mend())
                            .isNotBlank()
                            .isNotEqualTo(problem.message());
                });
    }

    /** One mistake, one problem: what follows from it is not told again, neither as an error nor as a warning. */
    @ParameterizedTest
    @MethodSource("broken")
    void tellsOneMistakeOnce(RuleCase rule) {
        Set<String> expected = new TreeSet<>(rule.beside());
        expected.add(rule.rule());

        assertThat(Constraints.broken(rule.candidate()))
                .extracting(Problem::rule)
                .containsExactlyInAnyOrderElementsOf(expected);
    }
}
