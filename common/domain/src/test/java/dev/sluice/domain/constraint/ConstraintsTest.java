package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.qwen3Next;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConstraintsTest {
    static Set<String> layoutsThatRun() {
        return Candidates.all().keySet();
    }

    /** Ids and severities of planner-constraints.csv, which lists all 123. */
    @Test
    void theCatalogueHasTheIdsAndSeveritiesThatWereSpecifiedInTheirOrder() throws IOException {
        Map<String, Severity> expected = specified();

        Map<String, Severity> found = new LinkedHashMap<>();
        Constraints.ALL.forEach(constraint -> found.put(constraint.id(), constraint.severity()));

        assertThat(expected).hasSize(123);
        assertThat(found).containsExactlyEntriesOf(expected);
    }

    @Test
    void noIdIsUsedTwice() {
        assertThat(Constraints.ALL).extracting(Constraint::id).doesNotHaveDuplicates();
    }

    @Test
    void everyConstraintPointsAtAPlaceInARequestAndSaysWhatMustHoldAndWhoSaysSo() {
        assertThat(Constraints.ALL).allSatisfy(constraint -> {
            assertThat(standsInARequest(constraint.path()))
                    .as(constraint.id() + " " + constraint.path())
                    .isTrue();
            assertThat(constraint.about()).isNotBlank();
            assertThat(constraint.source()).isNotBlank();
        });
    }

    @ParameterizedTest
    @MethodSource("layoutsThatRun")
    void layoutsThatRunBreakNothing(String name) {
        Candidate candidate = Candidates.all().get(name);

        assertThat(Constraints.broken(candidate)).isEmpty();
        assertThat(Constraints.firstOfTraining(candidate)).isEmpty();
        assertThat(Constraints.firstOfEngine(candidate)).isEmpty();
    }

    @Test
    void eachConstraintIsOfTrainingOrOfEnginesOrOfTheRun() {
        ConstraintCases.broken().forEach(rule -> {
            Candidate candidate = rule.candidate();

            long apart = Constraints.ofTraining(candidate).size()
                    + Constraints.ofEngine(candidate).size()
                    + Constraints.ofRun(candidate).size();

            assertThat(apart)
                    .as(rule.toString())
                    .isEqualTo(Constraints.broken(candidate).size());
        });
    }

    @Test
    void errorsAreToldFirstAndOtherwiseTheOrderIsTheCatalogues() {
        Candidate candidate = glm().engine(engine -> {
                    engine.dp = 4;
                    engine.dpAttention = false;
                    engine.ep = 3;
                    engine.running = 0;
                    engine.denseTp = 4;
                })
                .build();

        assertThat(Constraints.broken(candidate)).extracting(Problem::rule).containsExactly("S07", "S12", "S21", "S02");
    }

    @Test
    void aWarningOrAMendOfThePlannersOwnKeepsACandidateValid() {
        Candidate candidate = glm().engine(engine -> {
                    engine.dpAttention = false;
                    engine.running = 512;
                })
                .build();

        assertThat(Constraints.broken(candidate)).extracting(Problem::rule).containsExactly("S02", "S22");
        assertThat(Constraints.broken(candidate)).extracting(Problem::severity).containsOnly(Problem.Severity.WARNING);
        assertThat(Constraints.firstOfEngine(candidate)).isEmpty();
    }

    @Test
    void aRunThatSamplesNothingHasNoEngineToJudge() {
        assertThat(Constraints.broken(glm().trainOnly().build())).isEmpty();
    }

    /** Batches that DeepEP's default buffers do not hold, and buffers of states that an old SGLang does not choose. */
    @ParameterizedTest
    @ValueSource(strings = {"0.5.10", "0.5.13", "0.5.15.post1"})
    void aRequestIsNotBlamedForWhatThePlannerWritesItself(String sglang) {
        Candidate experts = glm().engine(EngineCases.deepEp())
                .engine(engine -> {
                    engine.speculation = EngineSide.Speculation.OFF;
                    engine.samples(2048);
                })
                .groups(256)
                .globalBatch(2048)
                .lengths(0, 4096, 0)
                .sglangVersion(sglang)
                .build();
        Candidate linear = draft(qwen3Next()).sglangVersion(sglang).build();

        assertThat(Constraints.broken(experts)).isEmpty();
        assertThat(Constraints.broken(linear)).isEmpty();
    }

    @Test
    void aLayoutIsJudgedBySizesAloneAndNotByMemory() {
        Candidate candidate = glm().optimizer(Optimizer.GPU).build();

        assertThat(Constraints.firstOfTraining(candidate)).isEmpty();
        assertThat(Constraints.ofTraining(candidate)).extracting(Problem::rule).containsExactly("H01");
    }

    /** Below a map any name may stand. */
    private static boolean standsInARequest(String path) {
        Class<?> at = TrainingRequest.class;
        for (String name : path.split("\\.")) {
            if (at == Map.class) {
                return true;
            }
            RecordComponent[] components = at.isRecord() ? at.getRecordComponents() : new RecordComponent[0];
            at = Arrays.stream(components)
                    .filter(component -> component.getName().equals(name))
                    .<Class<?>>map(RecordComponent::getType)
                    .findFirst()
                    .orElse(Void.class);
        }
        return at != Void.class;
    }

    private static Map<String, Severity> specified() throws IOException {
        try (InputStream in = ConstraintsTest.class.getResourceAsStream("constraint-catalogue.csv")) {
            Map<String, Severity> severities = new LinkedHashMap<>();
            new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .skip(1)
                    .forEach(line -> {
                        String[] columns = line.split(",");
                        severities.put(
                                columns[0],
                                switch (columns[1]) {
                                    case "error" -> Severity.ERROR;
                                    case "warn" -> Severity.WARNING;
                                    case "fix" -> Severity.FIX;
                                    default -> throw new AssertionError(line);
                                });
                    });
            return severities;
        }
    }
}
