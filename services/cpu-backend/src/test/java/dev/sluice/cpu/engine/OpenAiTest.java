package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.HttpReply;
import dev.sluice.http.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What OpenAI's clients send and read; shapes are those of SGLang's protocol.py. */
class OpenAiTest {
    @TempDir
    private static Path models;

    private static RunningEngine engine;

    @BeforeAll
    static void start() throws IOException {
        engine = RunningEngine.start(
                TestModels.markov(models.resolve("letters"), 3, 0), "--served-model-name", "letters");
    }

    @AfterAll
    static void stop() {
        engine.close();
    }

    @Test
    void aCompletionHasOpenAisShapeAndTheLabelOfTheWeights() throws IOException {
        JsonNode reply = completion("""
                {"model":"letters","prompt":"abc","max_tokens":5,"ignore_eos":true,"logprobs":2,"seed":7}""");

        assertThat(fields(reply)).containsExactly("id", "object", "created", "model", "choices", "usage", "metadata");
        assertThat(reply.get("object").asText()).isEqualTo("text_completion");
        assertThat(reply.get("model").asText()).isEqualTo("letters");
        JsonNode choice = reply.get("choices").get(0);
        assertThat(choice.get("text").asText()).hasSize(5);
        assertThat(choice.get("finish_reason").asText()).isEqualTo("length");
        assertThat(choice.get("matched_stop").isNull()).isTrue();
        JsonNode logprobs = choice.get("logprobs");
        assertThat(fields(logprobs)).containsExactly("text_offset", "token_logprobs", "tokens", "top_logprobs");
        assertThat(joined(logprobs.get("tokens"))).isEqualTo(choice.get("text").asText());
        assertThat(logprobs.get("token_logprobs"))
                .allSatisfy(one -> assertThat(one.asDouble()).isNegative());
        assertThat(logprobs.get("top_logprobs").get(0)).hasSize(2);
        assertThat(reply.at("/usage").toString())
                .isEqualTo("{\"prompt_tokens\":3,\"total_tokens\":8,\"completion_tokens\":5,"
                        + "\"prompt_tokens_details\":null,\"reasoning_tokens\":0}");
        assertThat(reply.at("/metadata/weight_version").asText()).isEqualTo("default");
    }

    @Test
    void promptsMayBeTextsOrTokensAndEachHasItsSamples() throws IOException {
        JsonNode texts = completion("""
                {"prompt":["ab","abc"],"n":2,"max_tokens":3,"ignore_eos":true}""");
        JsonNode ids = completion("""
                {"prompt":[[2,3],[2,3,4]],"n":2,"max_tokens":3,"ignore_eos":true}""");

        for (JsonNode reply : List.of(texts, ids)) {
            assertThat(reply.get("choices")).hasSize(4);
            assertThat(reply.at("/choices/3/index").asInt()).isEqualTo(3);
            assertThat(reply.at("/usage/prompt_tokens").asInt())
                    .as("a prompt counts once")
                    .isEqualTo(5);
            assertThat(reply.at("/usage/completion_tokens").asInt()).isEqualTo(12);
        }
    }

    @Test
    void echoPutsThePromptBeforeTheTextAndItsLogprobs() throws IOException {
        JsonNode choice = completion("""
                        {"prompt":"abc","max_tokens":2,"ignore_eos":true,"echo":true,"logprobs":1}""").at("/choices/0");

        assertThat(choice.get("text").asText()).startsWith("abc").hasSize(5);
        assertThat(joined(choice.at("/logprobs/tokens")))
                .isEqualTo(choice.get("text").asText());
        assertThat(choice.at("/logprobs/token_logprobs/0").isNull())
                .as("nothing comes before the first token")
                .isTrue();
    }

    @Test
    void aSeedRepeatsAndAStopTextIsNamed() throws IOException {
        String whole = completion("{\"prompt\":\"abc\",\"max_tokens\":40,\"seed\":5,\"ignore_eos\":true}")
                .at("/choices/0/text")
                .asText();
        String stop = whole.substring(4, 6);

        JsonNode cut = completion("{\"prompt\":\"abc\",\"max_tokens\":40,\"seed\":5,\"ignore_eos\":true,\"stop\":[\""
                        + stop + "\"]}")
                .at("/choices/0");

        assertThat(cut.get("text").asText()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        assertThat(cut.get("finish_reason").asText()).isEqualTo("stop");
        assertThat(cut.get("matched_stop").asText()).isEqualTo(stop);
    }

    @Test
    void aStreamsPiecesAddUpToTheWholeTextWithoutTheStop() throws Exception {
        String body = "{\"prompt\":\"abc\",\"max_tokens\":40,\"seed\":5,\"ignore_eos\":true,\"n\":2%s}";
        JsonNode whole = completion(body.formatted(""));
        String stop = whole.at("/choices/0/text").asText().substring(4, 7);
        JsonNode cut = completion(body.formatted(",\"stop\":\"" + stop + "\""));

        List<JsonNode> chunks = stream(
                "/v1/completions",
                body.formatted(",\"stop\":\"" + stop + "\",\"stream\":true,\"logprobs\":0,"
                        + "\"stream_options\":{\"include_usage\":true}"));

        for (int sample = 0; sample < 2; sample++) {
            String text = "";
            int tokens = 0;
            for (JsonNode chunk : chunks) {
                if (chunk.at("/choices/0/index").asInt(-1) == sample) {
                    text += chunk.at("/choices/0/text").asText();
                    tokens += chunk.at("/choices/0/logprobs/tokens").size();
                }
            }
            assertThat(text).isEqualTo(cut.at("/choices/" + sample + "/text").asText());
            assertThat(tokens).as("every token's logprob once").isGreaterThanOrEqualTo(text.length());
        }
        JsonNode last = chunks.getLast();
        assertThat(last.get("choices")).isEmpty();
        assertThat(last.get("usage")).isEqualTo(cut.get("usage"));
    }

    @Test
    void aChatAnswersWithAMessage() throws IOException {
        JsonNode reply = post("/v1/chat/completions", """
                {"model":"letters","messages":[{"role":"system","content":"a"},
                 {"role":"user","content":[{"type":"text","text":"bc"}]}],
                 "max_completion_tokens":4,"ignore_eos":true,"logprobs":true,"top_logprobs":2}""").tree();

        assertThat(reply.get("object").asText()).isEqualTo("chat.completion");
        JsonNode choice = reply.get("choices").get(0);
        assertThat(choice.at("/message/role").asText()).isEqualTo("assistant");
        assertThat(choice.at("/message/content").asText()).hasSize(4);
        JsonNode token = choice.at("/logprobs/content/0");
        assertThat(fields(token)).containsExactly("token", "bytes", "logprob", "top_logprobs");
        assertThat(token.get("top_logprobs")).hasSize(2);
        assertThat(token.at("/bytes/0").asInt())
                .isEqualTo(token.get("token").asText().charAt(0));
        // "system: a", "user: bc" with their line ends, and "assistant:", a token a character.
        assertThat(reply.at("/usage/prompt_tokens").asInt()).isEqualTo(10 + 9 + 10);
    }

    @Test
    void aChatStreamBeginsWithTheRoleAndEndsWithTheReason() throws Exception {
        List<JsonNode> chunks = stream("/v1/chat/completions", """
                {"messages":[{"role":"user","content":"a"}],"max_tokens":6,"ignore_eos":true,"stream":true}""");

        assertThat(chunks.getFirst().at("/choices/0/delta/role").asText()).isEqualTo("assistant");
        assertThat(chunks)
                .allSatisfy(chunk -> assertThat(chunk.get("object").asText()).isEqualTo("chat.completion.chunk"));
        assertThat(chunks.stream()
                        .map(chunk -> chunk.at("/choices/0/delta/content").asText())
                        .collect(Collectors.joining()))
                .hasSize(6);
        assertThat(chunks.getLast().at("/choices/0/finish_reason").asText()).isEqualTo("length");
    }

    @Test
    void aChatMayFillTheContext() throws IOException {
        JsonNode reply = post("/v1/chat/completions", """
                {"messages":[{"role":"user","content":"a"}],"ignore_eos":true}""").tree();

        assertThat(reply.at("/usage/total_tokens").asInt())
                .isEqualTo(engine.engine().contextLength());
    }

    @Test
    void aChatIsWrittenByTheModelsOwnTemplate() throws IOException {
        // Given a template that makes the prompt "ab" of the two messages, and refuses tools
        Path model = TestModels.markov(models.resolve("templated"), 3, 0);
        String template = "{% if tools %}{{ raise_exception('no tools here') }}{% endif %}"
                + "{% for message in messages %}{{ message.content }}{% endfor %}";
        Files.writeString(
                model.resolve("tokenizer_config.json"),
                Json.MAPPER.createObjectNode().put("chat_template", template).toString());
        try (RunningEngine templated = RunningEngine.start(model)) {
            String chat = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":"
                    + "[{\"type\":\"text\",\"text\":\"b\"}]}],\"max_tokens\":1%s}";
            HttpReply reply = templated.post("/v1/chat/completions", Json.MAPPER.readTree(chat.formatted("")));
            HttpReply tools = templated.post(
                    "/v1/chat/completions",
                    Json.MAPPER.readTree(chat.formatted(",\"tools\":[{\"type\":\"function\"}]")));

            assertThat(reply.status()).as(reply.text()).isEqualTo(200);
            assertThat(reply.tree().at("/usage/prompt_tokens").asInt()).isEqualTo(2);
            assertThat(tools.status()).isEqualTo(400);
            assertThat(tools.tree().get("message").asText()).contains("chat template refuses", "no tools here");
        }
    }

    @ParameterizedTest(name = "{2}")
    @CsvSource(delimiter = '|', textBlock = """
            /v1/completions      | {}                                      | Prompt cannot be empty
            /v1/completions      | {"prompt":[]}                           | Prompt cannot be empty
            /v1/completions      | {"prompt":{"a":1}}                      | prompt: a text, a list of texts, a list of token ids, or a list of such lists
            /v1/completions      | {"prompt":"a","max_tokens":"many"}      | max_tokens: Input should be a valid integer, got "many"
            /v1/completions      | {"prompt":"a","max_tokens":-1}          | max_new_tokens must be at least 0, got -1.
            /v1/completions      | {"prompt":"a","top_p":7}                | top_p must be in (0, 1], got 7.0.
            /v1/completions      | {"prompt":"a","n":5000}                 | n must be in [1, 1024], got 5000.
            /v1/chat/completions | {"prompt":"a"}                          | messages: a list of 1 to 4096 messages is required, got none.
            /v1/chat/completions | {"messages":["a"]}                      | messages: every message needs a role.
            /v1/chat/completions | {"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_object"}} | response_format json_object is not computed by this engine; leave it out.
            /v1/chat/completions | {"messages":[{"role":"user","content":"a"}],"tools":[{"type":"function"}]} | The model has no chat template, so it cannot be told of tools; leave them out.
            """)
    void aMistakeIsA400InOpenAisEnvelope(String path, String body, String message) throws IOException {
        HttpReply reply = post(path, body);

        assertThat(reply.status()).isEqualTo(400);
        assertThat(fields(reply.tree())).containsExactly("object", "message", "type", "param", "code");
        assertThat(reply.tree().get("object").asText()).isEqualTo("error");
        assertThat(reply.tree().get("message").asText()).isEqualTo(message);
        assertThat(reply.tree().get("code").asInt()).isEqualTo(400);
    }

    @Test
    void aBodyThatIsNotSaidToBeJsonIsRefused() throws Exception {
        HttpResponse<String> reply = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(engine.uri() + "/v1/completions"))
                                .header("Content-Type", "text/plain")
                                .POST(HttpRequest.BodyPublishers.ofString("{\"prompt\":\"a\"}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());

        assertThat(reply.statusCode()).isEqualTo(400);
        assertThat(reply.body()).contains("Only 'application/json' is allowed");
    }

    private static JsonNode completion(String body) throws IOException {
        HttpReply reply = post("/v1/completions", body);
        assertThat(reply.status()).as(reply.text()).isEqualTo(200);
        return reply.tree();
    }

    private static HttpReply post(String path, String body) throws IOException {
        return engine.post(path, Json.MAPPER.readTree(body));
    }

    private static List<JsonNode> stream(String path, String body) throws Exception {
        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(engine.uri() + path))
                                .header("Content-Type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        List<String> frames = List.of(response.body().split("\n\n"));
        assertThat(frames).last().isEqualTo("data: [DONE]");
        List<JsonNode> chunks = new ArrayList<>();
        for (String frame : frames.subList(0, frames.size() - 1)) {
            chunks.add(Json.MAPPER.readTree(frame.substring("data: ".length())));
        }
        return chunks;
    }

    private static List<String> fields(JsonNode node) {
        List<String> names = new ArrayList<>();
        node.fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static String joined(JsonNode texts) {
        StringBuilder all = new StringBuilder();
        texts.forEach(text -> all.append(text.asText()));
        return all.toString();
    }
}
