package dev.sluice.sglang;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.Json;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WireRecordsTest {

    /** The keys as SGLang 0.5.15.post1 writes them (tokenizer_manager.py, io_struct.py). */
    private static final String REPLY = """
            {"text":" 42","output_ids":[220,17,2],"meta_info":{"id":"r1","finish_reason":{"type":"stop","matched":2},
             "prompt_tokens":3,"completion_tokens":3,"cached_tokens":1,"weight_version":"7","num_retractions":0,
             "reasoning_tokens":0,"e2e_latency":0.25,"response_sent_to_client_ts":1.5,"input_token_logprobs":[],
             "output_token_logprobs":[[-0.5,220,null],[-1.25,17,null],[null,2,"</s>"]],"dp_rank":0,
             %s}}
            """;

    @Test
    void aReplyIsReadWithItsLogprobTriples() throws Exception {
        GenerateResponse reply = Json.MAPPER.readValue(REPLY.formatted("\"x\":1"), GenerateResponse.class);

        assertThat(reply.text()).isEqualTo(" 42");
        assertThat(reply.outputIds()).containsExactly(220, 17, 2);
        assertThat(reply.meta().finishReason()).isEqualTo(new FinishReason.Stop(new FinishReason.Matched.Token(2)));
        assertThat(reply.meta().weightVersion()).isEqualTo("7");
        assertThat(reply.meta().speculation()).isNull();
        assertThat(reply.meta().outputTokenLogprobs())
                .containsExactly(
                        new TokenLogprob(-0.5, 220), new TokenLogprob(-1.25, 17), new TokenLogprob(null, 2, "</s>"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // 0.5.9 and 0.5.10
                "\"spec_accept_token_num\":5,\"spec_draft_token_num\":8,\"spec_accept_rate\":0.625,"
                        + "\"spec_accept_length\":2.25,\"spec_verify_ct\":4,\"spec_accept_histogram\":[1,1,2]",
                // 0.5.12 and later
                "\"spec_num_correct_drafts\":5,\"spec_num_proposed_drafts\":8,\"spec_accept_rate\":0.625,"
                        + "\"spec_accept_length\":2.25,\"spec_verify_ct\":4,\"spec_correct_drafts_histogram\":[1,1,2]"
            })
    void speculationIsReadUnderTheNamesOfEveryVersion(String keys) throws Exception {
        GenerateResponse reply = Json.MAPPER.readValue(REPLY.formatted(keys), GenerateResponse.class);

        assertThat(reply.meta().speculation()).isEqualTo(new Speculation(5, 8, 0.625, 2.25, 4, List.of(1, 1, 2)));
    }

    @Test
    void speculationIsWrittenUnderAllNamesAndReadBack() throws Exception {
        GenerateResponse reply = Json.MAPPER.readValue(
                REPLY.formatted(
                        "\"spec_num_correct_drafts\":5,\"spec_num_proposed_drafts\":8,\"spec_accept_rate\":0.625,"
                                + "\"spec_accept_length\":2.25,\"spec_verify_ct\":4,\"spec_correct_drafts_histogram\":[1,1,2]"),
                GenerateResponse.class);

        JsonNode meta = Json.MAPPER.valueToTree(reply).get("meta_info");

        assertThat(meta.fieldNames())
                .toIterable()
                .contains(
                        "spec_accept_token_num",
                        "spec_num_correct_drafts",
                        "spec_accepted_drafts",
                        "spec_draft_token_num",
                        "spec_num_proposed_drafts",
                        "spec_proposed_drafts",
                        "spec_accept_rate",
                        "spec_accept_length",
                        "spec_verify_ct",
                        "spec_accept_histogram",
                        "spec_correct_drafts_histogram");
        assertThat(Json.MAPPER.treeToValue(meta, Meta.class)).isEqualTo(reply.meta());
    }

    @Test
    void anAbortedWaitingRequestHasNoPromptTokens() throws Exception {
        Meta meta = Json.MAPPER.readValue("""
                {"id":"r","finish_reason":{"type":"abort","message":"Abort in waiting queue"},"completion_tokens":0,
                 "weight_version":"default","output_token_logprobs":[]}""", Meta.class);

        assertThat(meta.promptTokens()).isNull();
        assertThat(meta.finishReason()).isEqualTo(FinishReason.Abort.whileWaiting());
        assertThat(Json.MAPPER.valueToTree(FinishReason.Abort.whileRunning()).toString())
                .isEqualTo("{\"type\":\"abort\",\"message\":\"Aborted\",\"status_code\":null,\"err_type\":null}");
    }

    @Test
    void samplingLeavesDefaultsToTheEngineAndTakesAStringForStop() throws Exception {
        SamplingParams sampling =
                SamplingParams.of(64, 1.0).change().topK(-1).samplingSeed(7).done();

        assertThat(Json.MAPPER.writeValueAsString(sampling))
                .isEqualTo("{\"max_new_tokens\":64,\"temperature\":1.0,\"top_k\":-1,\"sampling_seed\":7}");
        assertThat(Json.MAPPER
                        .readValue("{\"stop\":\"\\n\"}", SamplingParams.class)
                        .stop())
                .containsExactly("\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"3", "[0,3,0,1]"}) // SGLang 0.5.15.post1 with one and with four data-parallel ranks
    void aWeightUpdateIsAnsweredByOneRankOrByAll(String paused) throws Exception {
        String json = "{\"success\":true,\"message\":\"Succeeded.\",\"num_paused_requests\":%s}".formatted(paused);

        WeightUpdate.Outcome outcome = Json.MAPPER.readValue(json, WeightUpdate.Outcome.class);

        assertThat(outcome.success()).isTrue();
        assertThat(outcome.numPausedRequests()).contains(3);
        assertThat(Json.MAPPER.writeValueAsString(outcome)).isEqualTo(json);
    }
}
