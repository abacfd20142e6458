package dev.sluice.rollout.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.http.Json;
import dev.sluice.rollout.hook.HookException;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a function of one's own may answer: slime's Sample of a prompt of tokens 4 and 5, of 16 that the model knows. */
class HookedSampleTest {
    private static final String GOOD =
            "{'tokens': [4, 5, 7, 10, 8], 'response_length': 3, 'rollout_log_probs': [-0.5, 0.0, -1], 'loss_mask': [1, 0, 1],"
                    + " 'status': 'completed', 'reward': null, 'response': 'ignored', 'weight_versions': ['99']}";

    private final RouterSession session = new RouterSession("run:secret");

    @Test
    void becomesASampleWhoseVersionsTheRouterVouchesFor() throws Exception {
        session.served(3, "engine-1");

        Sample sample = accepted(GOOD);

        assertThat(sample.tokens().toArray()).containsExactly(7, 10, 8);
        assertThat(sample.lossMask().toArray()).containsExactly(new byte[] {1, 0, 1});
        assertThat(sample.logprobs().toArray()).containsExactly(-0.5f, 0, -1);
        assertThat(sample.versions()).containsExactly(new VersionSpan(3, 3));
        assertThat(sample.engineId()).isEqualTo("engine-1");
        assertThat(sample.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(sample.reward()).isNull();
    }

    @Test
    void ofSeveralVersionsTheOldestCountsForAllTokens() throws Exception {
        session.served(4, "engine-1");
        session.served(3, "engine-2");

        assertThat(accepted(GOOD).versions()).containsExactly(new VersionSpan(3, 3));
    }

    @Test
    void mayBringItsRewardAndBeTruncatedOrTakenOutOfTheLoss() throws Exception {
        session.served(3, "engine-1");

        Sample sample =
                accepted(GOOD.replace("'reward': null", "'reward': {'score': 0.5, 'pred': 'x'}, 'remove_sample': true")
                        .replace("completed", "truncated"));

        assertThat(sample.reward()).isEqualTo(0.5);
        assertThat(sample.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(sample.lossMask().toArray()).containsOnly(0);
    }

    @Test
    void anAbortedOneIsTriedOnceMore() throws Exception {
        assertThat(outcome(GOOD.replace("completed", "aborted"))).isInstanceOf(SampleOutcome.Refused.class);
    }

    @Test
    void withoutAnEngineOfThisInstanceItIsNoneOfThisModel() {
        assertThatThrownBy(() -> outcome(GOOD))
                .isInstanceOf(HookException.class)
                .hasMessageContaining("it asked no engine of this instance");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            'tokens': [4, 5, 7, 10, 8]       | 'tokens': [4, 6, 7, 10, 8]      | tokens[1] is 6 and the prompt's is 5
            'tokens': [4, 5, 7, 10, 8]       | 'tokens': [4, 5, 7, 10]         | it has 4 tokens; the prompt's 2 and response_length 3 are 5
            'tokens': [4, 5, 7, 10, 8]       | 'tokens': [4, 5, 7, 16, 8]      | tokens[3] is 16; the model's tokens are 0 to 15
            'tokens': [4, 5, 7, 10, 8]       | 'tokens': [4, 5, 7, 1e99, 8]    | , no whole number
            'response_length': 3             | 'response_length': 0            | response_length is 0; 1 to rollout.maxResponseTokens (8) are taken
            'response_length': 3             | 'response_length': 9            | response_length is 9; 1 to rollout.maxResponseTokens (8) are taken
            'response_length': 3             | 'other': 3                      | response_length is missing, no whole number
            'rollout_log_probs': [-0.5, 0.0, -1] | 'rollout_log_probs': null   | rollout_log_probs has 0 numbers for 3 tokens
            [-0.5, 0.0, -1]                  | [-0.5, 0.0, 'x']                | rollout_log_probs[2] is
            [-0.5, 0.0, -1]                  | [-0.5, 0.0, 0.7]                | rollout_log_probs[2] is 0.7, no log-probability
            'loss_mask': [1, 0, 1]           | 'loss_mask': [1, 1]             | loss_mask has 2 entries for 3 tokens
            'loss_mask': [1, 0, 1]           | 'loss_mask': [1, 0, 2]          | loss_mask[2] is 2; 0 and 1 are taken
            'status': 'completed'            | 'status': 'pending'             | has the status 'pending'
            'status': 'completed'            | 'status': 'failed'              | it says that the sample failed
            'reward': null                   | 'reward': 'good'                | its reward cannot be used
            """)
    void whatDoesNotFitIsRefusedWithWhereAndWhy(String right, String wrong, String message) {
        session.served(3, "engine-1");

        assertThatThrownBy(() -> outcome(GOOD.replace(right, wrong)))
                .isInstanceOf(HookException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '^', textBlock = """
            {'samples': []}          | it answered 0 samples; return one Sample
            {'samples': [{}, {}]}    | it answered 2 samples; return one Sample
            {'samples': [[]]}        | return one Sample
            []                       | it answered no list of samples
            """)
    void whatIsNotOneSampleIsRefused(String reply, String message) {
        assertThatThrownBy(() -> read(reply)).isInstanceOf(HookException.class).hasMessageContaining(message);
    }

    private Sample accepted(String sample) throws Exception {
        return ((SampleOutcome.Accepted) outcome(sample)).sample();
    }

    private SampleOutcome outcome(String sample) throws HookException, JsonProcessingException {
        return read("{'samples': [" + sample + "]}");
    }

    private SampleOutcome read(String reply) throws HookException, JsonProcessingException {
        GroupRequested task = new GroupRequested(
                "run",
                1,
                "run/0",
                0,
                0,
                0,
                "i",
                Prompt.of("p"),
                "l",
                "exact",
                1,
                new Sampling(1, 1, -1, 8, 1, List.of(), List.of(), List.of()),
                0,
                null,
                Instant.MAX);
        return new HookedSample(new int[] {4, 5}, 16, 8, null)
                .read(Json.MAPPER.readTree(reply.replace('\'', '"')), new GenerateAsk(task, 0, session));
    }
}
