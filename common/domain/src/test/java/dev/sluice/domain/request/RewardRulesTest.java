package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.RewardPart;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RewardRulesTest {
    @Test
    void aMixtureNeedsNoTypeAndItsPartsHaveDefaults() {
        // When
        TrainingRequest request = Requests.complete(Requests.with(
                "reward",
                "{\"mixture\": [{\"type\": \"dapo\", \"key\": \"acc\"}, {\"type\": \"f1\", \"weight\": 0.2}]}"));
        // Then
        assertThat(request.reward().type()).isEqualTo("mixture");
        assertThat(request.reward().parts())
                .containsExactly(
                        new RewardPart("dapo", "acc", null, 1, 120, false),
                        new RewardPart("f1", null, null, 0.2, 120, false));
        assertThat(problems(request)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'type': 'deepscaler'}",
                "{'type': 'boxed_math'}",
                "{'type': 'dapo', 'key': 'score'}",
                "{'type': 'remote', 'url': 'http://rewards:8090/reward', 'key': 'any', 'group': true}",
                "{'type': 'remote_rm', 'url': 'https://rewards/a?b=c'}",
                "{'type': 'own:my.reward-1', 'group': true}",
            })
    void whatSlimesUsersWriteIsTaken(String reward) {
        // When
        TrainingRequest request = Requests.complete(Requests.with("reward", reward.replace('\'', '"')));
        // Then
        assertThat(problems(request)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'type': 'deepscalar'} | reward.type | did you mean deepscaler?",
                "{'type': 'boxed_exakt'} | reward.type | no reward is called boxed_exakt",
                "{'type': 'own:a b'} | reward.type | no reward is called own:a b",
                "{'type': 'mixture'} | reward.mixture | a mixture has no rewards",
                "{'type': 'dapo', 'mixture': [{'type': 'f1'}]} | reward.mixture | reward.type is dapo, and a mixture of 1 rewards",
                "{'mixture': [{'type': 'mixture'}]} | reward.mixture[0].type | no reward is called mixture",
                "{'mixture': [{'type': 'f1', 'weight': 0}]} | reward.mixture[0].weight | counts for nothing",
                "{'key': 'a', 'mixture': [{'type': 'f1'}]} | reward | belong to its rewards",
                "{'type': 'remote'} | reward.url | a remote reward has no url",
                "{'type': 'remote', 'url': 'file:///etc/passwd'} | reward.url | no http(s) address",
                "{'type': 'remote', 'url': 'http://user:word@host/'} | reward.url | no http(s) address",
                "{'type': 'math', 'url': 'http://host/'} | reward.url | the reward math calls nobody",
                "{'type': 'dapo', 'key': 'scor'} | reward.key | did you mean score?",
                "{'type': 'math', 'key': 'score'} | reward.key | the reward math is one number",
                "{'type': 'math', 'group': true} | reward.group | judges each response by itself",
            })
    void whatCannotBeMeantIsRefused(String reward, String path, String message) {
        // Given
        TrainingRequest request = Requests.complete(Requests.with("reward", reward.replace('\'', '"')));
        // When
        List<Problem> problems = problems(request);
        // Then
        assertThat(problems).singleElement().satisfies(problem -> {
            assertThat(problem.path()).isEqualTo(path);
            assertThat(problem.message()).contains(message);
            assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
        });
    }

    @Test
    void aPartWithoutATypeAndAWrongNumberAreToldTogether() {
        // When
        List<Problem> problems = Requests.problems(Requests.with(
                "reward",
                "{\"timeoutSeconds\": 0, \"mixture\": [{\"weight\": 2}, {\"type\": \"f1\", \"wieght\": 1}]}"));
        // Then
        assertThat(problems)
                .extracting(Problem::path)
                .containsExactlyInAnyOrder(
                        "reward.timeoutSeconds", "reward.mixture[0].type", "reward.mixture[1].wieght");
    }

    @Test
    void aRewardThatMayOutlastItsGroupIsWarnedOf() {
        // Given
        var document =
                Requests.with("reward", "{\"type\": \"remote\", \"url\": \"http://h/\", \"timeoutSeconds\": 600}");
        // When
        List<Problem> problems = problems(Requests.complete(document));
        // Then
        assertThat(problems).singleElement().satisfies(problem -> {
            assertThat(problem.severity()).isEqualTo(Problem.Severity.WARNING);
            assertThat(problem.message()).contains("600 s of the 600 s");
        });
    }

    private static List<Problem> problems(TrainingRequest request) {
        Facts facts = new Facts(new Facts.Model(List.of(), null), Map.of(), 0);
        return RewardRules.ALL.stream()
                .flatMap(rule -> rule.broken(request, facts).stream())
                .toList();
    }
}
