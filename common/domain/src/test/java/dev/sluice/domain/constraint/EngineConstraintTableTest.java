package dev.sluice.domain.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.sluice.events.Problem;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Each constraint on engines, weights, checkpoints and hardware is kept by one candidate and broken by another. */
class EngineConstraintTableTest {
    static Stream<ConstraintRow> rows() {
        return Stream.of(
                        EngineRows.layout(),
                        EngineRows.experts(),
                        EngineRows.speculation(),
                        SglangFlagRows.decoding(),
                        SglangFlagRows.flags(),
                        RunRows.weights(),
                        RunRows.checkpoints(),
                        RunRows.hardware())
                .flatMap(rows -> rows);
    }

    @TestFactory
    Stream<DynamicTest> aCandidateKeepsTheConstraint() {
        return rows().map(row -> dynamicTest(row.id(), () -> {
            assertThat(constraint(row.id()).problem(row.passes())).isEmpty();
        }));
    }

    @TestFactory
    Stream<DynamicTest> aCandidateThatBreaksTheConstraintIsToldWhatIsWrongAndWhatMendsIt() {
        return rows().map(row -> dynamicTest(row.id(), () -> {
            Problem problem = constraint(row.id()).problem(row.breaks()).orElseThrow();

            assertThat(problem.message()).contains(row.message());
            assertThat(problem.mend()).contains(row.mend());
        }));
    }

    @TestFactory
    Stream<DynamicTest> oneMistakeIsToldOnce() {
        Set<String> covered = rows().map(ConstraintRow::id).collect(Collectors.toSet());
        return rows().map(row -> dynamicTest(row.id(), () -> {
            Set<String> expected = new TreeSet<>(row.beside());
            expected.add(row.id());

            List<String> broken = Constraints.broken(row.breaks()).stream()
                    .map(Problem::rule)
                    .filter(covered::contains)
                    .toList();

            assertThat(broken).containsExactlyInAnyOrderElementsOf(expected);
        }));
    }

    @Test
    void noConstraintOfTheseGroupsIsLeftOut() {
        assertThat(rows().map(ConstraintRow::id).toList())
                .doesNotHaveDuplicates()
                .containsAll(Constraints.ALL.stream()
                        .map(Constraint::id)
                        .filter(id -> id.matches("[SWC]..|H0[7-9]"))
                        .toList());
    }

    private static Constraint constraint(String id) {
        return Constraints.ALL.stream()
                .filter(constraint -> constraint.id().equals(id))
                .findFirst()
                .orElseThrow();
    }
}
