package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.HttpReply;
import dev.sluice.http.Json;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.SamplingParams;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What real clients rely on: slime sends sampling params of its own, AReaL and verl differ in shapes and in nulls. */
class GenerateEndpointTest {
    private static final int[] PROMPT = {4, 5, 6};

    @TempDir
    private static Path models;

    private static RunningEngine engine;

    @BeforeAll
    static void start() throws IOException {
        engine = RunningEngine.start(
                TestModels.markov(models.resolve("letters"), 3, 0), "--context-length", "64", "--enable-metrics");
    }

    @AfterAll
    static void stop() {
        engine.close();
    }

    @Test
    void aReplyHasTheKeysThatSlimeReads() throws IOException {
        double asked = System.currentTimeMillis() / 1e3;
        HttpReply reply = engine.post("/generate", Json.MAPPER.readTree("""
                        {"input_ids":[4,5,6],"return_logprob":true,"sampling_params":{"temperature":1.0,"top_p":1.0,
                         "top_k":-1,"max_new_tokens":6,"stop":null,"stop_token_ids":null,"skip_special_tokens":true,
                         "no_stop_trim":true,"spaces_between_special_tokens":false,"ignore_eos":true}}"""));

        JsonNode json = reply.tree();
        JsonNode meta = json.get("meta_info");
        assertThat(json.get("text").asText()).hasSize(6);
        assertThat(meta.get("finish_reason").toString()).isEqualTo("{\"type\":\"length\",\"length\":6}");
        assertThat(meta.get("weight_version").asText()).isEqualTo("default");
        assertThat(meta.get("prompt_tokens").asInt()).isEqualTo(3);
        assertThat(meta.get("completion_tokens").asInt()).isEqualTo(6);
        assertThat(meta.get("cached_tokens").asInt()).isZero();
        assertThat(meta.get("request_received_ts").asDouble())
                .isBetween(asked, meta.get("response_sent_to_client_ts").asDouble());
        assertThat(meta.get("input_token_logprobs")).isEmpty();
        assertThat(meta.get("output_token_logprobs")).hasSize(6);
        for (int i = 0; i < 6; i++) {
            JsonNode triple = meta.get("output_token_logprobs").get(i);
            assertThat(triple).hasSize(3);
            assertThat(triple.get(0).asDouble()).isNegative();
            assertThat(triple.get(1).asInt())
                    .isEqualTo(json.get("output_ids").get(i).asInt());
            assertThat(triple.get(2).isNull()).isTrue();
        }
    }

    @Test
    void theSameSeedGivesTheSameTokensWhateverElseRuns() {
        SamplingParams sampling = SamplingParams.of(20, 1)
                .change()
                .ignoreEos(true)
                .samplingSeed(42)
                .done();
        int[] alone = engine.generate(PROMPT, sampling).outputIds();

        List<GenerateRequest> crowd = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            crowd.add(
                    GenerateRequest.ofTokens("crowd" + i, new int[] {2 + i % 10, 3}, SamplingParams.of(5 + i % 20, 1)));
        }
        crowd.add(17, GenerateRequest.ofTokens("seeded", PROMPT, sampling));
        int[] inCrowd = engine.client()
                .generateAll(crowd, RunningEngine.DEADLINE)
                .get(17)
                .outputIds();

        assertThat(inCrowd).isEqualTo(alone);
    }

    @Test
    void samplesOfOnePromptComeInAListAndShareItsCache() {
        SamplingParams sampling = SamplingParams.of(8, 1)
                .change()
                .ignoreEos(true)
                .n(4)
                .samplingSeed(42)
                .done();

        List<GenerateResponse> samples = engine.client()
                .generateSeveral(GenerateRequest.ofTokens("group", PROMPT, sampling), RunningEngine.DEADLINE);

        assertThat(samples).hasSize(4);
        assertThat(samples.stream().map(sample -> sample.meta().cachedTokens())).containsExactly(0, 2, 2, 2);
        assertThat(samples.stream().map(sample -> Arrays.toString(sample.outputIds())))
                .as("samples draw their own coins")
                .doesNotHaveDuplicates();
    }

    @Test
    void aStopTextEndsTheOutputAndIsTrimmedUnlessAskedFor() {
        SamplingParams greedy =
                SamplingParams.of(30, 0).change().ignoreEos(true).done();
        String whole = String.valueOf(engine.generate(PROMPT, greedy).text());
        String stop = whole.substring(1, 3);

        GenerateResponse trimmed =
                engine.generate(PROMPT, greedy.change().stop(List.of(stop)).done());
        GenerateResponse kept = engine.generate(
                PROMPT, greedy.change().stop(List.of(stop)).noStopTrim(true).done());

        assertThat(trimmed.meta().finishReason()).isEqualTo(new FinishReason.Stop(new FinishReason.Matched.Text(stop)));
        assertThat(trimmed.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        assertThat(kept.text()).isEqualTo(whole.substring(0, whole.indexOf(stop) + 2));
        assertThat(kept.outputIds()).isEqualTo(trimmed.outputIds());
    }

    /** SGLang's FINISHED_MATCHED_REGEX: it names the pattern, and nothing is trimmed. */
    @Test
    void aStopPatternEndsTheOutputWithTheTokenThatCompletesAMatch() {
        SamplingParams greedy =
                SamplingParams.of(30, 0).change().ignoreEos(true).done();
        String whole = String.valueOf(engine.generate(PROMPT, greedy).text());
        String pattern = "^.{3,}"
                + java.util.regex.Pattern.quote(whole.substring(4, 5))
                        .replace("\\Q", "[")
                        .replace("\\E", "]");

        GenerateResponse stopped = engine.generate(
                PROMPT, greedy.change().stopRegex(List.of("never", pattern)).done());

        int end = whole.indexOf(whole.charAt(4), 3) + 1;
        assertThat(stopped.meta().finishReason())
                .isEqualTo(new FinishReason.Stop(new FinishReason.Matched.Text(pattern)));
        assertThat(stopped.text()).isEqualTo(whole.substring(0, end));
    }

    @Test
    void theEndTokenStaysInTheIdsAndLeavesTheText() {
        // Uniform enough to meet the end of sequence in 60 tokens with one of these seeds.
        GenerateResponse ended = IntStream.range(0, 50)
                .mapToObj(seed -> engine.generate(
                        PROMPT,
                        SamplingParams.of(60, 2).change().samplingSeed(seed).done()))
                .filter(response -> response.meta().finishReason() instanceof FinishReason.Stop)
                .findFirst()
                .orElseThrow();

        assertThat(ended.outputIds()).endsWith(TestModels.END);
        assertThat(ended.text()).hasSize(ended.outputIds().length - 1);
        assertThat(ended.meta().outputTokenLogprobs()).hasSize(ended.outputIds().length);
    }

    @Test
    void aStreamRepeatsEverythingSoFarAndEndsWithDone() throws Exception {
        String body = "{\"rid\":\"s\",\"input_ids\":[4,5,6],\"stream\":true,\"return_logprob\":true,"
                + "\"sampling_params\":{\"max_new_tokens\":5,\"ignore_eos\":true}}";

        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(engine.uri() + "/generate"))
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());

        assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream");
        List<String> frames = List.of(response.body().split("\n\n"));
        assertThat(frames).last().isEqualTo("data: [DONE]");
        List<JsonNode> replies = new ArrayList<>();
        for (String frame : frames.subList(0, frames.size() - 1)) {
            replies.add(Json.MAPPER.readTree(frame.substring("data: ".length())));
        }
        for (int i = 1; i < replies.size(); i++) {
            String shorter = replies.get(i - 1).get("text").asText();
            assertThat(replies.get(i).get("text").asText()).startsWith(shorter);
            assertThat(replies.get(i - 1).get("meta_info").get("finish_reason").isNull())
                    .isTrue();
        }
        JsonNode last = replies.get(replies.size() - 1);
        assertThat(last.get("meta_info").get("finish_reason").get("type").asText())
                .isEqualTo("length");
        assertThat(last.get("meta_info").get("output_token_logprobs")).hasSize(5);
    }

    @Test
    void promptLogprobsBeginWithNull() throws IOException {
        JsonNode meta = engine.post(
                        "/generate",
                        Map.of(
                                "input_ids",
                                PROMPT,
                                "return_logprob",
                                true,
                                "logprob_start_len",
                                0,
                                "top_logprobs_num",
                                2,
                                "sampling_params",
                                Map.of("max_new_tokens", 1)))
                .tree()
                .get("meta_info");

        double[] expected = EagerLogprobs.of(models.resolve("letters"), new int[] {4}, new int[] {5, 6}, 1);
        assertThat(meta.get("input_token_logprobs").get(0).toString()).isEqualTo("[null,4,null]");
        for (int i = 0; i < 2; i++) {
            assertThat(meta.get("input_token_logprobs").get(i + 1).get(0).asDouble())
                    .isCloseTo(expected[i], within(1e-4));
        }
        assertThat(meta.get("output_top_logprobs").get(0)).hasSize(2);
    }

    @ParameterizedTest(name = "{1}")
    @CsvSource(delimiter = '|', textBlock = """
            {}                                                             | Either text, input_ids or input_embeds should be provided.
            {"input_ids":[]}                                               | input_ids cannot be empty.
            {"input_ids":[4],"sampling_params":{"top_p":0}}                | top_p must be in (0, 1], got 0.0.
            {"input_ids":[4],"sampling_params":{"min_p":1.5}}              | min_p must be in [0, 1], got 1.5.
            {"input_ids":[4],"sampling_params":{"top_k":0}}                | top_k must be -1 (disable) or at least 1, got 0.
            {"input_ids":[4],"sampling_params":{"temperature":-1}}         | temperature must be a non-negative finite number, got -1.0.
            {"input_ids":[4],"sampling_params":{"max_new_tokens":-1}}      | max_new_tokens must be at least 0, got -1.
            {"input_ids":[4],"sampling_params":{"max_tokens":3}}           | SamplingParams got an unexpected keyword argument 'max_tokens'
            {"input_ids":[4],"sampling_params":{"top_p":"NaN"}}            | top_p must be in (0, 1], got NaN.
            {"input_ids":[4],"sampling_params":{"frequency_penalty":2.5}}  | frequency_penalty must be in [-2, 2], got 2.5.
            {"input_ids":[4],"sampling_params":{"presence_penalty":-3}}    | presence_penalty must be in [-2, 2], got -3.0.
            {"input_ids":[4],"sampling_params":{"repetition_penalty":0}}   | repetition_penalty must be in (0, 2] (1.0 = no penalty), got 0.0.
            {"input_ids":[4],"sampling_params":{"min_new_tokens":9,"max_new_tokens":8}} | min_new_tokens must be in [0, max_new_tokens(8)], got 9.
            {"input_ids":[4],"sampling_params":{"logit_bias":{"16":1}}}    | logit_bias must has keys in [0, 15], got 16.
            {"input_ids":[4],"sampling_params":{"logit_bias":{"a":1}}}     | logit_bias must has keys in [0, 15], got a.
            {"input_ids":[4],"sampling_params":{"logit_bias":{"3":"NaN"}}} | logit_bias must has values in [-1000000, 1000000], got NaN.
            {"input_ids":[4],"sampling_params":{"stop":[null]}}            | a stop text must not be null.
            {"input_ids":[4],"sampling_params":{"stop_regex":"a*"}}        | stop_regex: it matches the empty text, which would end every output at once
            {"input_ids":[4],"sampling_params":{"ebnf":"x"}}               | ebnf is not computed by this engine; leave it out.
            {"input_ids":[4,99]}                                           | The input_ids contain the token 99, but the model's vocabulary has the ids 0 to 15.
            {"input_ids":[4],"return_logprob":true,"logprob_start_len":9,"sampling_params":{"max_new_tokens":1}} | logprob_start_len, (9) is higher than the number of input tokens 1
            {"input_ids":[[4],[5]],"rid":["a"]}                            | The length of rid should be equal to the batch size.
            {"input_ids":[[4],[5]],"rid":["a","a"],"sampling_params":{"max_new_tokens":1}} | Duplicate request ID detected: a
            """)
    void aMistakeIsA400ThatSaysWhatIsWrong(String body, String message) throws IOException {
        HttpReply reply = engine.post("/generate", Json.MAPPER.readTree(body));

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.tree().at("/error/message").asText()).isEqualTo(message);
    }

    @Test
    void aTextThatNoContextCouldHoldIsNotEvenTokenised() throws IOException {
        HttpReply reply = engine.post("/generate", Map.of("text", "a".repeat(64 * 256)));

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.tree().at("/error/message").asText())
                .isEqualTo("The input (16384 characters) is longer than the model's context length (64 tokens).");
    }

    @Test
    void whatDoesNotFitTheContextIsRefusedWithTheNumbers() throws IOException {
        HttpReply longPrompt = engine.post("/generate", Map.of("input_ids", new int[64]));
        HttpReply longOutput = engine.post(
                "/generate", Map.of("input_ids", new int[10], "sampling_params", Map.of("max_new_tokens", 55)));

        assertThat(longPrompt.tree().at("/error/message").asText())
                .isEqualTo("The input (64 tokens) is longer than the model's context length (64 tokens).");
        assertThat(longOutput.tree().at("/error/message").asText())
                .startsWith("Requested token count exceeds the model's maximum context length of 64 tokens."
                        + " You requested a total of 65 tokens: 10 tokens from the input messages and 55");
    }

    @Test
    void aBodyThatIsNotJsonGetsTheEnvelopeOfFastApisErrors() throws Exception {
        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(engine.uri() + "/generate"))
                                .POST(HttpRequest.BodyPublishers.ofString("{nonsense"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());

        JsonNode body = Json.MAPPER.readTree(response.body());
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(body.get("object").asText()).isEqualTo("error");
        assertThat(body.get("type").asText()).isEqualTo("Bad Request");
        assertThat(body.get("code").asInt()).isEqualTo(400);
    }

    @Test
    void zeroNewTokensOnlyComputesThePrompt() {
        GenerateResponse response = engine.generate(PROMPT, SamplingParams.of(0, 1));

        assertThat(response.outputIds()).isEmpty();
        assertThat(response.meta().finishReason()).isEqualTo(new FinishReason.Length(0));
    }
}
