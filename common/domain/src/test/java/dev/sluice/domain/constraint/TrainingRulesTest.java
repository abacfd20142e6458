package dev.sluice.domain.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The rules of Megatron (M..) and of a run (R..), each with a candidate that keeps it and one that breaks it. */
class TrainingRulesTest {
    static final List<Constraint> RULES = Stream.of(
                    ParallelConstraints.ALL,
                    PipelineConstraints.ALL,
                    AttentionConstraints.ALL,
                    SequenceConstraints.ALL,
                    OptimizerConstraints.ALL,
                    RecomputeConstraints.ALL,
                    RouterConstraints.ALL,
                    DispatcherConstraints.ALL,
                    MtpConstraints.ALL,
                    ModelConstraints.ALL,
                    TrainerConstraints.ALL,
                    BatchConstraints.ALL,
                    AlgorithmConstraints.ALL,
                    RunConstraints.ALL,
                    PlacementConstraints.ALL)
            .flatMap(List::stream)
            .toList();

    private static final Map<String, Constraint> BY_ID =
            RULES.stream().collect(Collectors.toMap(Constraint::id, Function.identity()));

    static List<RuleCase> cases() {
        return Stream.of(
                        LayoutCases.SIZES,
                        LayoutCases.STAGES,
                        LayoutCases.SEQUENCES,
                        LayoutCases.ATTENTION,
                        TrainerCases.OPTIMIZER,
                        TrainerCases.RECOMPUTE,
                        TrainerCases.EXPERTS,
                        TrainerCases.START,
                        RunCases.BATCHES,
                        RunCases.ALGORITHM,
                        RunCases.PLACEMENT)
                .flatMap(List::stream)
                .toList();
    }

    static Stream<RuleCase> kept() {
        return cases().stream().filter(rule -> !rule.broken());
    }

    static Stream<RuleCase> broken() {
        return cases().stream().filter(RuleCase::broken);
    }

    static Stream<Candidate> layoutsThatRun() {
        return Stream.of(
                Candidates.glm47Flash(),
                Candidates.script(),
                Candidates.twoNodes(),
                Candidates.qwen3_4b(),
                Candidates.qwen3_30b(),
                Candidates.qwen3Next(),
                Candidates.glm52());
    }

    @ParameterizedTest
    @MethodSource("kept")
    void acceptsWhatKeepsTheRule(RuleCase rule) {
        assertThat(rule(rule).problem(rule.candidate())).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("broken")
    void tellsWhatBreaksTheRuleAndHowToMendIt(RuleCase rule) {
        assertThat(rule(rule).problem(rule.candidate())).hasValueSatisfying(problem -> {
            assertThat(problem.rule()).isEqualTo(rule.rule());
            assertThat(problem.message()).contains(rule.told());
            assertThat(problem.mend()).isNotBlank().isNotEqualTo(problem.message());
        });
    }

    /** One mistake, one error: what follows from it is not told again. */
    @ParameterizedTest
    @MethodSource("broken")
    void tellsOneMistakeOnce(RuleCase rule) {
        List<String> errors = errors(rule.candidate()).map(Problem::rule).toList();

        assertThat(errors).isSubsetOf(rule.rule());
    }

    @ParameterizedTest
    @MethodSource("layoutsThatRun")
    void acceptsLayoutsThatRun(Candidate candidate) {
        assertThat(errors(candidate)).isEmpty();
    }

    @Test
    void holdsEveryRuleOfMegatronAndOfRunsOnceWithBothCases() {
        List<String> all = Stream.concat(ids("M", 45), ids("R", 23)).toList();

        assertThat(RULES).extracting(Constraint::id).containsExactlyInAnyOrderElementsOf(all);
        assertThat(kept().map(RuleCase::rule).distinct()).containsExactlyInAnyOrderElementsOf(all);
        assertThat(broken().map(RuleCase::rule).distinct()).containsExactlyInAnyOrderElementsOf(all);
    }

    /** Severities of the specification of the planner's constraints. */
    @Test
    void warnsOfWhatRunsAndMendsWhatIsClear() {
        assertThat(ids(Severity.WARNING)).containsExactlyInAnyOrder("M40", "M45", "R06", "R20", "R21");
        assertThat(ids(Severity.FIX)).containsExactlyInAnyOrder("M07", "M30", "R08");
    }

    @Test
    void pointsEveryRuleAtAPlaceInARequest() {
        assertThat(RULES).allSatisfy(rule -> {
            assertThat(resolves(rule.path())).as(rule.id() + " " + rule.path()).isTrue();
            assertThat(rule.about()).isNotBlank();
            assertThat(rule.source()).isNotBlank();
        });
    }

    private static Constraint rule(RuleCase rule) {
        return BY_ID.get(rule.rule());
    }

    private static Stream<Problem> errors(Candidate candidate) {
        return RULES.stream()
                .flatMap(rule -> rule.problem(candidate).stream())
                .filter(problem -> problem.severity() == Problem.Severity.ERROR);
    }

    private static Stream<String> ids(String letter, int count) {
        return IntStream.rangeClosed(1, count).mapToObj(number -> "%s%02d".formatted(letter, number));
    }

    private static Set<String> ids(Severity severity) {
        return RULES.stream()
                .filter(rule -> rule.severity() == severity)
                .map(Constraint::id)
                .collect(Collectors.toSet());
    }

    private static boolean resolves(String path) {
        Class<?> at = TrainingRequest.class;
        for (String name : path.split("\\.")) {
            RecordComponent[] components = at.isRecord() ? at.getRecordComponents() : new RecordComponent[0];
            Class<?> next = Arrays.stream(components)
                    .filter(component -> component.getName().equals(name))
                    .<Class<?>>map(RecordComponent::getType)
                    .findFirst()
                    .orElse(null);
            if (next == null) {
                return false;
            }
            at = next;
        }
        return true;
    }
}
