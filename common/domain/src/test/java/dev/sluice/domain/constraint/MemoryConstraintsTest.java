package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.glmApart;
import static dev.sluice.domain.constraint.Candidates.twoNodes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.memory.EngineMemory;
import dev.sluice.domain.memory.TrainingMemory;
import dev.sluice.events.Problem;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Figures of the planner specification, sections 1.5, 2.1 and 2.3: GLM-4.7-Flash on H100 with 79.1 GiB to use. */
class MemoryConstraintsTest {
    static Stream<Arguments> layouts() {
        return Stream.of(
                Arguments.of("Adam on the CPU", 48.8, glm().build()),
                Arguments.of("Adam", 90.6, glm().optimizer(Optimizer.GPU).build()),
                Arguments.of(
                        "precision-aware Adam",
                        83.6,
                        glm().optimizer(Optimizer.PRECISION_AWARE).build()),
                Arguments.of("16384 tokens", 62.0, glm().tokensPerGpu(16_384).build()),
                Arguments.of("TP 2", 43.1, glm().tp(2).tokensPerGpu(16_384).build()),
                Arguments.of("TP 4", 33.6, glm().tp(4).tokensPerGpu(16_384).build()),
                Arguments.of("two nodes, CPU", 28.0, twoNodes()),
                Arguments.of(
                        "two nodes, GPU",
                        49.1,
                        draft(twoNodes()).optimizer(Optimizer.GPU).build()));
    }

    @ParameterizedTest(name = "{0}: {1} GiB")
    @MethodSource("layouts")
    void trainingMayFill94PercentOfAGpu(String layout, double gib, Candidate candidate) {
        assertThat(TrainingMemory.of(candidate).gib()).isCloseTo(gib, within(0.05));
        assertThat(problem("H01", candidate).isPresent()).isEqualTo(gib > 74.4);
    }

    static Stream<Arguments> engines() {
        return Stream.of(
                Arguments.of("graphs of 16", 0.824, glm().engine(graphs(16).andThen(withoutDraft()))),
                Arguments.of("graphs of 16 and a draft", 0.799, glm().engine(graphs(16))),
                Arguments.of("graphs of 64 and a draft", 0.784, glm().engine(graphs(64))),
                Arguments.of(
                        "SGLang's graphs of 512 over dp 24",
                        0.109,
                        glmApart(24).engine(graphs(0).andThen(withoutDraft()))));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("engines")
    void theStaticShareMayBeSglangsOwnOrThreeHundredthsMoreWithAWarning(
            String engine, double largest, CandidateDraft draft) {
        assertThat(EngineMemory.largestFraction(draft.build(), engineOf(draft))).isCloseTo(largest, within(0.0005));

        assertThat(problem("H05", withFraction(draft, largest - 0.001))).isEmpty();
        assertThat(problem("H05", withFraction(draft, largest + 0.001)))
                .map(Problem::severity)
                .hasValue(Problem.Severity.WARNING);
        assertThat(problem("H05", withFraction(draft, largest + 0.029)))
                .map(Problem::severity)
                .hasValue(Problem.Severity.WARNING);
        assertThat(problem("H05", withFraction(draft, largest + 0.031)))
                .map(Problem::severity)
                .hasValue(Problem.Severity.ERROR);
    }

    @Test
    void aSearchTakesAnEngineThatIsOnlyWarnedOf() {
        Candidate candidate = withFraction(glm().engine(graphs(64)), 0.8);

        assertThat(Constraints.ofEngine(candidate)).extracting(Problem::rule).containsExactly("H05");
        assertThat(Constraints.firstOfEngine(candidate)).isEmpty();
    }

    @Test
    void whereSglangChoosesTheGraphsASmallerBatchIsOffered() {
        Candidate candidate = withFraction(glmApart(24).engine(graphs(0).andThen(withoutDraft())), 0.7);

        assertThat(problem("H05", candidate))
                .map(Problem::mend)
                .hasValue("set rollout.layout.memFractionStatic to 0.10 or less, or set"
                        + " rollout.layout.cudaGraphMaxBatch, such as to 64: SGLang's own choice is 512");
    }

    /** What is not a layout at all is told by other rules. */
    @Test
    void memoryIsJudgedOfLayoutsOnly() {
        Candidate unfilled =
                glm().layout(1, 1, 3, 8, 1).optimizer(Optimizer.GPU).build();
        Candidate unsplit =
                glm().gpus(16).layout(1, 2, 1, 8, 1).optimizer(Optimizer.GPU).build();

        assertThat(Constraints.ofTraining(unfilled)).extracting(Problem::rule).containsExactly("M01");
        assertThat(Constraints.ofTraining(unsplit)).extracting(Problem::rule).containsExactly("M08");
    }

    private static Consumer<EngineDraft> graphs(int largest) {
        return engine -> engine.graph = largest;
    }

    private static Consumer<EngineDraft> withoutDraft() {
        return engine -> engine.speculation = Speculation.OFF;
    }

    private static Candidate withFraction(CandidateDraft draft, double fraction) {
        return draft.engine(engine -> engine.fraction = fraction).build();
    }

    private static EngineSide engineOf(CandidateDraft draft) {
        return draft.build().engine();
    }

    private static Optional<Problem> problem(String id, Candidate candidate) {
        return ConstraintCases.constraint(id).problem(candidate);
    }
}
