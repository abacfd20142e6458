package dev.sluice.cli.conformance;

import static dev.sluice.cli.conformance.Check.Client.OPENAI;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What clients of OpenAI's API ask.
 *
 * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/entrypoints/openai/protocol.py">
 *     protocol.py</a>
 */
final class OpenAiChecks {
    private static final List<Map<String, String>> MESSAGES = List.of(Map.of("role", "user", "content", "a"));

    private static final List<Check> CHECKS = List.of(
            Check.of(OPENAI, "models", OpenAiChecks::models),
            Check.of(
                    OPENAI,
                    "unknown-model",
                    target -> target.get("/v1/models/" + Target.freshName())
                            .status(404)
                            .equal("/error/code", "model_not_found")),
            Check.of(OPENAI, "completion", OpenAiChecks::completion),
            Check.of(OPENAI, "completion-logprobs", OpenAiChecks::completionLogprobs),
            Check.of(OPENAI, "completion-samples", OpenAiChecks::samples),
            Check.of(OPENAI, "completion-stream", OpenAiChecks::completionStream),
            Check.of(OPENAI, "chat", OpenAiChecks::chat),
            Check.of(OPENAI, "chat-stream", OpenAiChecks::chatStream),
            Check.of(OPENAI, "error-envelope", OpenAiChecks::error));

    private OpenAiChecks() {}

    static List<Check> all() {
        return CHECKS;
    }

    private static void models(Target target) {
        target.get("/v1/models")
                .status(200)
                .equal("/object", "list")
                .equal("/data/0/object", "model")
                .text("/data/0/id")
                .integer("/data/0/created", "/data/0/max_model_len");
    }

    private static void completion(Target target) {
        Exchange exchange = target.post("/v1/completions", completionBody(target, Map.of()))
                .status(200)
                .equal("/object", "text_completion")
                .text("/id", "/choices/0/text")
                .integer("/created")
                .equal("/choices/0/index", 0)
                .equal("/choices/0/finish_reason", "length")
                .text("/metadata/weight_version");
        usage(exchange, 4);
    }

    private static void completionLogprobs(Target target) {
        Exchange exchange = target.post("/v1/completions", completionBody(target, Map.of("logprobs", 1)))
                .status(200);
        for (String field : List.of("tokens", "token_logprobs", "top_logprobs")) {
            exchange.that("/choices/0/logprobs/" + field, "one a token", list -> list.size() == 4);
        }
    }

    private static void samples(Target target) {
        Exchange exchange = target.post("/v1/completions", completionBody(target, Map.of("n", 2)))
                .status(200);
        exchange.that("/choices", "two choices", choices -> choices.size() == 2).equal("/choices/1/index", 1);
        usage(exchange, 8);
    }

    private static void completionStream(Target target) {
        Exchange exchange = target.post(
                        "/v1/completions",
                        completionBody(target, Map.of("stream", true, "stream_options", Map.of("include_usage", true))))
                .status(200);
        List<JsonNode> frames = exchange.frames();
        exchange.require(
                frames.getFirst().path("object").asText().equals("text_completion"), "chunks of text_completion");
        exchange.require(
                frames.getLast().at("/usage/completion_tokens").asInt() == 4, "a last chunk with the usage, 4 tokens");
        exchange.require(
                frames.stream()
                        .anyMatch(frame ->
                                frame.at("/choices/0/finish_reason").asText().equals("length")),
                "a chunk with finish_reason length");
    }

    private static void chat(Target target) {
        Exchange exchange = target.post("/v1/chat/completions", chatBody(target, Map.of("logprobs", true)));
        skipWithoutChats(exchange);
        exchange.status(200)
                .equal("/object", "chat.completion")
                .equal("/choices/0/message/role", "assistant")
                .text("/choices/0/finish_reason")
                .that(
                        "/choices/0/logprobs/content",
                        "a list of tokens",
                        content -> content.isArray()
                                && content.path(0).path("logprob").isNumber());
        exchange.that("/usage/completion_tokens", "1 to 4", tokens -> tokens.asInt() >= 1 && tokens.asInt() <= 4);
    }

    private static void chatStream(Target target) {
        Exchange exchange = target.post("/v1/chat/completions", chatBody(target, Map.of("stream", true)));
        skipWithoutChats(exchange);
        List<JsonNode> frames = exchange.status(200).frames();
        exchange.require(
                frames.stream().allMatch(frame -> frame.path("object").asText().equals("chat.completion.chunk")),
                "chunks of chat.completion.chunk");
        exchange.require(
                frames.getFirst().at("/choices/0/delta/role").asText().equals("assistant"),
                "a first chunk with the role assistant");
        exchange.require(
                frames.stream()
                        .anyMatch(frame -> frame.at("/choices/0/finish_reason").isTextual()),
                "a chunk with a finish_reason");
    }

    private static void error(Target target) {
        target.post("/v1/completions", completionBody(target, Map.of("top_p", 7)))
                .status(400)
                .equal("/object", "error")
                .text("/message", "/type")
                .equal("/code", 400);
    }

    /** A server whose model has no chat template, or none that it renders, says so. */
    private static void skipWithoutChats(Exchange exchange) {
        if (exchange.reply().status() == 400 && exchange.reply().text().contains("chat template")) {
            throw new Check.Skipped("the server cannot write this model's chats: "
                    + exchange.reply().excerpt());
        }
    }

    private static Map<String, Object> completionBody(Target target, Map<String, ?> more) {
        return body(target, Map.of("prompt", Target.PROMPT, "max_tokens", 4, "ignore_eos", true), more);
    }

    private static Map<String, Object> chatBody(Target target, Map<String, ?> more) {
        return body(target, Map.of("messages", MESSAGES, "max_tokens", 4), more);
    }

    private static Map<String, Object> body(Target target, Map<String, ?> fields, Map<String, ?> more) {
        Map<String, Object> body = new LinkedHashMap<>();
        String model = target.modelName();
        body.put("model", model == null ? "default" : model);
        body.putAll(fields);
        body.putAll(more);
        return body;
    }

    private static void usage(Exchange exchange, int outputTokens) {
        exchange.equal("/usage/prompt_tokens", Target.PROMPT.size())
                .equal("/usage/completion_tokens", outputTokens)
                .equal("/usage/total_tokens", Target.PROMPT.size() + outputTokens);
    }
}
