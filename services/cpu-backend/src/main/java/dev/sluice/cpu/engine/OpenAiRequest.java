package dev.sluice.cpu.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cpu.http.BodyException;
import dev.sluice.http.Json;
import dev.sluice.sglang.GenerateRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The body of {@code /v1/completions} or {@code /v1/chat/completions}, in the terms of {@code /generate}. Fields that it does
 * not know are ignored, as in SGLang.
 *
 * @param id names the reply
 * @param chat whether the reply is a message
 * @param prompts one or several; a chat has one
 * @param samplesPerPrompt at least 1
 * @param logprobs whether log-probabilities are wanted
 * @param echo whether the prompt comes before the output
 * @param usageInStream whether a stream ends with its counts of tokens
 */
record OpenAiRequest(
        String id,
        String model,
        boolean chat,
        List<GenerateBody.Prompt> prompts,
        int samplesPerPrompt,
        boolean logprobs,
        boolean echo,
        boolean stream,
        boolean usageInStream) {

    private static final int MAX_BATCH = 4096;
    private static final int MAX_MESSAGES = 4096;
    private static final int DEFAULT_COMPLETION_TOKENS = 16;

    /** Fields that both APIs have, by their name here. */
    private static final Map<String, String> SAMPLING_FIELDS = Map.ofEntries(
            Map.entry("temperature", "temperature"),
            Map.entry("top_p", "top_p"),
            Map.entry("top_k", "top_k"),
            Map.entry("min_p", "min_p"),
            Map.entry("n", "n"),
            Map.entry("stop", "stop"),
            Map.entry("stop_token_ids", "stop_token_ids"),
            Map.entry("stop_regex", "stop_regex"),
            Map.entry("frequency_penalty", "frequency_penalty"),
            Map.entry("presence_penalty", "presence_penalty"),
            Map.entry("repetition_penalty", "repetition_penalty"),
            Map.entry("min_tokens", "min_new_tokens"),
            Map.entry("ignore_eos", "ignore_eos"),
            Map.entry("skip_special_tokens", "skip_special_tokens"),
            Map.entry("no_stop_trim", "no_stop_trim"),
            Map.entry("logit_bias", "logit_bias"),
            Map.entry("seed", "sampling_seed"),
            Map.entry("json_schema", "json_schema"),
            Map.entry("regex", "regex"),
            Map.entry("ebnf", "ebnf"));

    static OpenAiRequest completion(JsonNode body) {
        List<ObjectNode> prompts = prompts(body.path("prompt"));
        int top = integer(body, "logprobs", -1);
        boolean echo = body.path("echo").asBoolean(false);
        ObjectNode sampling = sampling(body);
        sampling.put("max_new_tokens", integer(body, "max_tokens", DEFAULT_COMPLETION_TOKENS));
        for (ObjectNode prompt : prompts) {
            logprobs(prompt, top >= 0, Math.max(0, top));
            if (echo) {
                prompt.put("logprob_start_len", 0);
            }
        }
        return of(body, false, prompts, sampling, top >= 0, echo);
    }

    /**
     * A chat.
     *
     * @param prompt tokens of the messages
     * @param room tokens that the context has left for the output
     */
    @SuppressWarnings("ArrayRecordComponent")
    record ChatPrompt(int[] prompt, int room) {}

    static OpenAiRequest chat(JsonNode body, ChatPrompt chat) {
        boolean logprobs = body.path("logprobs").asBoolean(false);
        ObjectNode sampling = sampling(body);
        int limit = integer(body, "max_completion_tokens", integer(body, "max_tokens", chat.room()));
        sampling.put("max_new_tokens", limit);
        ObjectNode prompt = Json.MAPPER.createObjectNode();
        prompt.set("input_ids", Json.MAPPER.valueToTree(chat.prompt()));
        logprobs(prompt, logprobs, integer(body, "top_logprobs", 0));
        return of(body, true, List.of(prompt), sampling, logprobs, false);
    }

    /** Checks the messages of a chat. */
    static void requireMessages(JsonNode body) {
        JsonNode messages = body.path("messages");
        if (!messages.isArray() || messages.isEmpty() || messages.size() > MAX_MESSAGES) {
            throw new RequestException("messages: a list of 1 to " + MAX_MESSAGES + " messages is required, got "
                    + (messages.isArray() ? messages.size() + "." : "none."));
        }
        for (JsonNode message : messages) {
            if (!message.path("role").isTextual()) {
                throw new RequestException("messages: every message needs a role.");
            }
        }
    }

    private static OpenAiRequest of(
            JsonNode body,
            boolean chat,
            List<ObjectNode> prompts,
            ObjectNode sampling,
            boolean logprobs,
            boolean echo) {
        boolean stream = body.path("stream").asBoolean(false);
        String given = body.path("rid").isTextual() ? body.path("rid").asText() : null;
        String id = given != null ? given : UUID.randomUUID().toString().replace("-", "");
        List<GenerateBody.Prompt> all = new ArrayList<>();
        for (int i = 0; i < prompts.size(); i++) {
            ObjectNode prompt = prompts.get(i).put("stream", stream);
            for (String field : List.of("data_parallel_rank", "routed_dp_rank")) {
                if (body.hasNonNull(field)) {
                    prompt.set(field, body.get(field));
                }
            }
            all.add(new GenerateBody.Prompt(prompts.size() == 1 ? id : id + "_" + i, read(prompt), sampling));
        }
        return new OpenAiRequest(
                id,
                body.path("model").asText("default"),
                chat,
                List.copyOf(all),
                Math.max(1, integer(body, "n", 1)),
                logprobs,
                echo,
                stream,
                body.path("stream_options").path("include_usage").asBoolean(false));
    }

    private static List<ObjectNode> prompts(JsonNode prompt) {
        List<ObjectNode> prompts = new ArrayList<>();
        if (prompt.isTextual() || prompt.path(0).isNumber()) {
            prompts.add(prompt(prompt));
        } else {
            prompt.forEach(one -> prompts.add(prompt(one)));
        }
        if (prompts.isEmpty() || prompts.size() > MAX_BATCH) {
            throw new RequestException("Prompt cannot be empty");
        }
        return prompts;
    }

    private static ObjectNode prompt(JsonNode one) {
        if (!one.isTextual() && !one.isArray()) {
            throw new BodyException("prompt: a text, a list of texts, a list of token ids, or a list of such lists");
        }
        ObjectNode prompt = Json.MAPPER.createObjectNode();
        prompt.set(one.isTextual() ? "text" : "input_ids", one);
        return prompt;
    }

    private static ObjectNode sampling(JsonNode body) {
        String format = body.path("response_format").path("type").asText("text");
        if (!format.equals("text")) {
            throw new RequestException("response_format " + format + " is not computed by this engine; leave it out.");
        }
        ObjectNode sampling = Json.MAPPER.createObjectNode();
        SAMPLING_FIELDS.forEach((theirs, ours) -> {
            if (body.hasNonNull(theirs)) {
                sampling.set(ours, body.get(theirs));
            }
        });
        return sampling;
    }

    private static void logprobs(ObjectNode prompt, boolean wanted, int top) {
        prompt.put("return_logprob", wanted)
                .put("return_text_in_logprobs", wanted)
                .put("top_logprobs_num", top);
    }

    private static int integer(JsonNode body, String field, int otherwise) {
        JsonNode value = body.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return otherwise;
        }
        if (!value.canConvertToInt() || !value.isIntegralNumber()) {
            throw new BodyException(field + ": Input should be a valid integer, got " + value);
        }
        return value.intValue();
    }

    private static GenerateRequest read(ObjectNode prompt) {
        try {
            return Json.MAPPER.treeToValue(prompt, GenerateRequest.class);
        } catch (JsonProcessingException e) {
            throw new BodyException(e.getOriginalMessage());
        }
    }
}
