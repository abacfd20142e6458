package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Problem;
import dev.sluice.events.Rollout.Hooks;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HookRulesTest {
    private static final String URL = "http://127.0.0.1:8090/generate";

    @Test
    void functionsOfOnesOwnAreAddressesAndTheirTimeHasADefault() {
        // When
        TrainingRequest request = Requests.complete(Requests.with("rollout.hooks", "{\"generate\": \"" + URL + "\"}"));
        // Then
        assertThat(request.rollout().hooks()).isEqualTo(new Hooks(URL, null, 300));
        assertThat(problems(request)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"hooks": {}}                                                        | rollout.hooks               | names neither generate nor dynamicFilter
            {"hooks": {"generate": "my.module.generate"}}                        | rollout.hooks.generate      | the url is no http(s) address
            {"hooks": {"dynamicFilter": "file:///etc/passwd"}}                   | rollout.hooks.dynamicFilter | the url is no http(s) address
            {"hooks": {"generate": "http://h/g"}, "turns": {"hook": "own:a"}}    | rollout.turns               | asks the model and its environment itself
            {"hooks": {"dynamicFilter": "http://h/f"}, "dynamicFilter": "nonzero_std"} | rollout.dynamicFilter | two filters are named
            {"stopRegex": ["ok", "(?<=x)y"]}                                     | rollout.stopRegex[1]        | no regular expression of RE2
            """)
    void refusesWhatCannotBeCalled(String rollout, String path, String message) {
        // When
        TrainingRequest request = Requests.complete(Requests.with("rollout", rollout));
        // Then
        assertThat(problems(request)).singleElement().satisfies(problem -> {
            assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
            assertThat(problem.path()).isEqualTo(path);
            assertThat(problem.message()).contains(message);
            assertThat(problem.mend()).isNotBlank();
        });
    }

    private static List<Problem> problems(TrainingRequest request) {
        return RequestRules.broken(request, new Facts(new Facts.Model(List.of(), null), Map.of(), 1)).stream()
                .filter(problem -> problem.path().startsWith("rollout."))
                .toList();
    }
}
