package dev.sluice.rollout.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.http.Json;
import dev.sluice.sglang.GenerateResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReplyCheckTest {
    private static final ReplyCheck.Expected EXPECTED = expected(3, 4);

    /** A reply as SGLang 0.5.15 writes it, with speculation. */
    private static final String REPLY = """
            {"text": "46", "output_ids": [9, 11, 1], "meta_info": {"id": "r", "finish_reason": {"type": "stop", "matched": 1},
             "prompt_tokens": 6, "completion_tokens": 3, "cached_tokens": 0, "weight_version": "3", "e2e_latency": 0.1,
             "output_token_logprobs": [[-0.5, 9, null], [-0.25, 11, null], [-1.0, 1, null]],
             "spec_num_correct_drafts": 1, "spec_num_proposed_drafts": 4, "spec_verify_ct": 2}}""";

    @Test
    void aWholeReplyBecomesASampleWithItsEndToken() {
        // When
        Sample sample = accepted(REPLY);
        // Then
        assertThat(sample.tokens().toArray()).containsExactly(9, 11, 1);
        assertThat(sample.logprobs().toArray()).containsExactly(-0.5f, -0.25f, -1.0f);
        assertThat(sample.lossMask().toArray()).containsExactly(1, 1, 1);
        assertThat(sample.versions()).containsExactly(new VersionSpan(3, 3));
        assertThat(sample.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(sample.reward()).isNull();
        assertThat(sample.verifies()).isEqualTo(2);
        assertThat(sample.acceptedDrafts()).isEqualTo(1);
        assertThat(sample.proposedDrafts()).isEqualTo(4);
    }

    @Test
    void aSampleThatRanOutOfTokensIsTrainedOnToo() {
        // When
        Sample sample =
                accepted(REPLY.replace("\"type\": \"stop\", \"matched\": 1", "\"type\": \"length\", \"length\": 3"));
        // Then
        assertThat(sample.finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(sample.lossMask().toArray()).containsExactly(1, 1, 1);
    }

    @Test
    void aReplyOfAnotherWeightVersionIsRefused() {
        // When
        var outcome = check(REPLY.replace("\"weight_version\": \"3\"", "\"weight_version\": \"2\""));
        // Then
        assertThat(outcome)
                .isEqualTo(new SampleOutcome.Refused(
                        0, 3, "engine engine-1 was sent it with weight version 3 and answered with '2'"));
    }

    @Test
    void aReplyThatLostLogprobsIsRefused() {
        // Given: what speculation did before SGLang #14046
        String first = REPLY.replace(", [-0.25, 11, null], [-1.0, 1, null]", "");
        // When
        var outcome = check(first);
        // Then
        assertThat(outcome).isEqualTo(new SampleOutcome.Refused(0, 3, "3 tokens came with 1 log-probabilities"));
    }

    @Test
    void aLogprobOfAnotherTokenIsRefused() {
        // When
        var outcome = check(REPLY.replace("[-0.25, 11, null]", "[-0.25, 12, null]"));
        // Then
        assertThat(outcome).isInstanceOf(SampleOutcome.Refused.class);
    }

    @Test
    void moreTokensThanAskedForAreRefused() {
        // When
        var outcome = ReplyCheck.check(0, read(REPLY), expected(3, 2));
        // Then
        assertThat(outcome)
                .isEqualTo(
                        new SampleOutcome.Refused(0, 3, "3 tokens came, meta_info says 3, at most 2 were asked for"));
    }

    @Test
    void aPauseIsNoFailureAndItsTokensCanBeGoneOnWith() {
        // When
        var outcome = check(REPLY.replace(
                "\"type\": \"stop\", \"matched\": 1",
                "\"type\": \"abort\", \"message\": \"Aborted\", \"status_code\": null, \"err_type\": null"));
        // Then
        assertThat(outcome).isInstanceOfSatisfying(SampleOutcome.Aborted.class, aborted -> {
            assertThat(aborted.begun().tokens()).containsExactly(9, 11, 1);
            assertThat(aborted.begun().versions()).containsExactly(new VersionSpan(3, 3));
            assertThat(aborted.lost()).isZero();
        });
    }

    @Test
    void whatAPauseLeftWithoutLogprobsIsLost() {
        // When
        var outcome = check(REPLY.replace(
                        "\"type\": \"stop\", \"matched\": 1",
                        "\"type\": \"abort\", \"message\": \"Aborted\", \"status_code\": null, \"err_type\": null")
                .replace("[-0.5, 9, null], ", ""));
        // Then
        assertThat(outcome).isEqualTo(new SampleOutcome.Aborted(0, PartialSample.NOTHING, 3));
    }

    @Test
    void aSampleThatWentOnHasTheTokensOfBothVersions() {
        // Given two tokens of version 2
        PartialSample begun = PartialSample.generated(
                new int[] {7, 8}, new float[] {-1, -2}, List.of(new VersionSpan(2, 2)), PartialSample.Drafts.NONE);
        // When
        var outcome =
                ReplyCheck.check(0, read(REPLY), new ReplyCheck.Expected("engine-1", 3, 3, 5, begun, false, false));
        // Then
        Sample sample = ((SampleOutcome.Accepted) outcome).sample();
        assertThat(sample.tokens().toArray()).containsExactly(7, 8, 9, 11, 1);
        assertThat(sample.logprobs().toArray()).containsExactly(-1, -2, -0.5f, -0.25f, -1.0f);
        assertThat(sample.versions()).containsExactly(new VersionSpan(2, 2), new VersionSpan(3, 3));
    }

    private static ReplyCheck.Expected expected(int version, int maxTokens) {
        return new ReplyCheck.Expected("engine-1", version, version, maxTokens, PartialSample.NOTHING, false, false);
    }

    @Test
    void theSourceWeightsMayBeCalledDefault() {
        // When
        var outcome = ReplyCheck.check(
                0, read(REPLY.replace("\"weight_version\": \"3\"", "\"weight_version\": \"default\"")), expected(0, 4));
        // Then
        assertThat(outcome).isInstanceOf(SampleOutcome.Accepted.class);
    }

    private static Sample accepted(String reply) {
        return ((SampleOutcome.Accepted) check(reply)).sample();
    }

    private static SampleOutcome check(String reply) {
        return ReplyCheck.check(0, read(reply), EXPECTED);
    }

    private static GenerateResponse read(String reply) {
        try {
            return Json.MAPPER.readValue(reply, GenerateResponse.class);
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }
}
