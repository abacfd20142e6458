package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.EngineCandidates.glm;
import static dev.sluice.domain.constraint.EngineCandidates.glm5;
import static dev.sluice.domain.constraint.EngineCandidates.qwen30b;
import static dev.sluice.domain.constraint.EngineCandidates.qwen4b;
import static dev.sluice.domain.constraint.EngineCandidates.qwenNext;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.events.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ConstraintsTest {
    /** The groups that this catalogue has so far; all of them once the others join, and then this goes. */
    static Stream<Candidate> recipes() {
        return Stream.of(
                glm(engine -> {}),
                qwen4b(engine -> {}),
                qwen30b(engine -> {}),
                qwenNext(engine -> {}),
                glm5(engine -> {}));
    }

    /** Ids and severities of planner-constraints.csv, which lists all 123. */
    @Test
    void theCatalogueHasTheIdsAndSeveritiesThatWereSpecifiedInTheirOrder() throws IOException {
        Map<String, Severity> expected = specified();

        Map<String, Severity> found = new LinkedHashMap<>();
        Constraints.ALL.stream().forEach(constraint -> found.put(constraint.id(), constraint.severity()));

        assertThat(expected).hasSize(123);
        assertThat(found).containsExactlyEntriesOf(expected);
    }

    @Test
    void noIdIsUsedTwice() {
        assertThat(Constraints.ALL).extracting(Constraint::id).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @MethodSource("recipes")
    void slimesRecipesBreakNothing(Candidate recipe) {
        assertThat(Constraints.broken(recipe)).isEmpty();
    }

    @Test
    void errorsAreToldFirstAndOtherwiseTheOrderIsTheCatalogues() {
        Candidate candidate = glm(engine -> {
            engine.dp = 4;
            engine.dpAttention = false;
            engine.ep = 3;
            engine.running = 0;
            engine.denseTp = 4;
            engine.a2a = "none";
        });

        assertThat(Constraints.broken(candidate)).extracting(Problem::rule).containsExactly("S07", "S12", "S21", "S02");
    }

    @Test
    void aWarningOrAMendOfThePlannersOwnKeepsACandidateValid() {
        Candidate candidate = glm(engine -> {
            engine.dpAttention = false;
            engine.running = 512;
        });

        assertThat(Constraints.broken(candidate)).extracting(Problem::rule).containsExactly("S02", "S22");
        assertThat(Constraints.broken(candidate)).extracting(Problem::severity).containsOnly(Problem.Severity.WARNING);
    }

    @Test
    void aRunThatSamplesNothingHasNoEngineToJudge() {
        Candidate recipe = glm(engine -> {});
        Candidate fineTuning = new Candidate(
                recipe.model(), recipe.cluster(), recipe.installed(), recipe.workload(), recipe.training(), null);

        assertThat(Constraints.broken(fineTuning)).isEmpty();
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
