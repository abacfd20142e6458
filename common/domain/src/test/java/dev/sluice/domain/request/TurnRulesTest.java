package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Problem;
import dev.sluice.events.Rollout.Turns;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TurnRulesTest {
    @ParameterizedTest
    @ValueSource(strings = {"own:calculator", "http://tools.example:8090/turn"})
    void anEnvironmentIsANameOrAnAddressAndItsBoundsHaveDefaults(String hook) {
        // When
        TrainingRequest request = Requests.complete(Requests.with("rollout.turns", "{\"hook\": \"" + hook + "\"}"));
        // Then
        assertThat(request.rollout().turns()).isEqualTo(new Turns(hook, 8, 60));
        assertThat(problems(request)).isEmpty();
    }

    @Test
    void aRequestWithoutAnEnvironmentHasResponsesOfOneTurn() {
        assertThat(Requests.complete(Requests.with("rollout.maxPolicyLag", "0"))
                        .rollout()
                        .turns())
                .isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "calculator | is not of the form own:NAME, and the url is no http(s) address",
                "own:a b | is not of the form own:NAME, and the url is no address",
                "file:///etc/passwd | is not of the form own:NAME, and the url is no http(s) address",
            })
    void whatIsNeitherIsRefused(String hook, String message) {
        // When
        TrainingRequest request = Requests.complete(Requests.with("rollout.turns", "{\"hook\": \"" + hook + "\"}"));
        // Then
        assertThat(problems(request)).singleElement().satisfies(problem -> {
            assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
            assertThat(problem.path()).isEqualTo("rollout.turns.hook");
            assertThat(problem.message()).contains(message);
        });
    }

    @Test
    void conversationsThatNewWeightsWouldUndoAreWarnedOf() {
        // When
        TrainingRequest request = Requests.complete(Requests.with(
                "rollout", "{\"turns\": {\"hook\": \"own:a\", \"turnTimeoutSeconds\": 600}," + "\"maxPolicyLag\": 2}"));
        // Then
        assertThat(problems(request))
                .extracting(Problem::path)
                .contains("rollout.turns.turnTimeoutSeconds", "rollout.partialRollout");
    }

    private static List<Problem> problems(TrainingRequest request) {
        Facts facts = new Facts(new Facts.Model(List.of(), null), Map.of(), 0);
        return TurnRules.ALL.stream()
                .flatMap(rule -> rule.broken(request, facts).stream())
                .toList();
    }
}
