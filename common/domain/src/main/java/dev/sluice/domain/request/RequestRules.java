package dev.sluice.domain.request;

import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Every rule over a whole request. To add one, write its check beside those of its subject and list it here. */
public final class RequestRules {
    static final List<RequestRule> ALL = Stream.of(
                    WorldRules.ALL,
                    RewardRules.ALL,
                    SamplingRules.ALL,
                    TurnRules.ALL,
                    PauseRules.ALL,
                    HookRules.ALL,
                    CheckpointRules.ALL,
                    TrainingRules.ALL,
                    BatchingRules.ALL,
                    GuardRules.ALL,
                    ModelRules.ALL,
                    KindRules.ALL,
                    HandOverRules.ALL)
            .flatMap(List::stream)
            .toList();

    private RequestRules() {}

    /** All broken rules, errors first; without an error the request can be planned. */
    public static List<Problem> broken(TrainingRequest request, Facts facts) {
        return ALL.stream()
                .flatMap(rule -> rule.broken(request, facts).stream())
                .sorted(Comparator.comparing(Problem::severity))
                .toList();
    }

    /** Whether one of them rejects the request. */
    public static boolean reject(List<Problem> problems) {
        return problems.stream().anyMatch(problem -> problem.severity() == Problem.Severity.ERROR);
    }
}
