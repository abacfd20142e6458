package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Guard;
import dev.sluice.events.TrainingRequest.GuardAction;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GuardRulesTest {
    @Test
    void whatAGuardDoesNotSayHasADefault() {
        TrainingRequest request = with("{\"figure\": \"train/grad_norm\", \"above\": 10}");

        assertThat(request.guards()).containsExactly(new Guard("train/grad_norm", 10, 1, GuardAction.WARN, 1440));
        assertThat(problems(request)).isEmpty();
    }

    @Test
    void aRunHasNoGuardsUnlessItAsksForThem() {
        assertThat(Requests.complete(Requests.with("name", "\"x\"")).guards()).isEmpty();
    }

    @Test
    void aFigureThatStepsDoNotHaveIsRefusedWithTheNearest() {
        assertThat(problems(with("{\"figure\": \"train/grad_nrm\", \"above\": 10}")))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
                    assertThat(problem.path()).isEqualTo("guards[0].figure");
                    assertThat(problem.message()).contains("train/grad_nrm", "train/grad_norm");
                    assertThat(problem.mend()).contains("METRICS.md");
                });
        assertThat(problems(with("{\"figure\": \"eval/aime\", \"above\": 1}"))).hasSize(1);
    }

    @Test
    void aRollbackWithoutCutsIsMentioned() {
        assertThat(problems(with("{\"figure\": \"train/ppo_kl\", \"above\": 1, \"action\": \"rollback\"}")))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.severity()).isEqualTo(Problem.Severity.WARNING);
                    assertThat(problem.mend()).isEqualTo("save more often");
                });
    }

    private static TrainingRequest with(String guard) {
        return Requests.complete(Requests.with("guards", "[" + guard + "]"));
    }

    private static List<Problem> problems(TrainingRequest request) {
        Facts facts = new Facts(new Facts.Model(List.of(), null), Map.of(), 0);
        return GuardRules.ALL.stream()
                .flatMap(rule -> rule.broken(request, facts).stream())
                .toList();
    }
}
