package dev.sluice.cpu.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.http.Json;
import dev.sluice.sglang.GenerateRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The body of {@code /generate}, taken apart into its prompts: every field may be one value for all prompts or a list with one
 * a prompt.
 *
 * @param prompts each with its own rid, sampling and wishes
 * @param single whether the body has one prompt that is not in a list
 */
record GenerateBody(List<Prompt> prompts, boolean single) {
    private static final int MAX_BATCH = 4096;
    private static final List<String> LISTABLE = List.of(
            "rid",
            "return_logprob",
            "logprob_start_len",
            "top_logprobs_num",
            "return_text_in_logprobs",
            "stream",
            // The older name first: a body that has both means the newer.
            "data_parallel_rank",
            "routed_dp_rank");

    /**
     * One prompt of the body.
     *
     * @param sampling still to be checked
     */
    record Prompt(
            String rid, GenerateRequest request, @Nullable JsonNode sampling) {}

    boolean streams() {
        return Boolean.TRUE.equals(prompts.get(0).request().stream());
    }

    static GenerateBody read(JsonNode body) {
        JsonNode texts = body.path("text");
        JsonNode ids = body.path("input_ids");
        boolean hasText = !texts.isMissingNode() && !texts.isNull();
        boolean hasIds = !ids.isMissingNode() && !ids.isNull();
        if (!hasText && !hasIds) {
            throw new RequestException("Either text, input_ids or input_embeds should be provided.");
        }
        boolean batch = hasText ? texts.isArray() : ids.path(0).isArray();
        if (hasIds && ids.isEmpty()) {
            throw new RequestException("input_ids cannot be empty.");
        }
        int size = !batch ? 1 : hasText ? texts.size() : ids.size();
        if (size == 0 || size > MAX_BATCH) {
            throw new RequestException("a batch has 1 to " + MAX_BATCH + " prompts, got " + size + ".");
        }
        List<Prompt> prompts = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            prompts.add(prompt((ObjectNode) body, i, size, batch));
        }
        return new GenerateBody(List.copyOf(prompts), !batch);
    }

    private static Prompt prompt(ObjectNode body, int index, int size, boolean batch) {
        ObjectNode own = Json.MAPPER.createObjectNode();
        for (String field : List.of("text", "input_ids")) {
            JsonNode value = body.get(field);
            if (value != null) {
                own.set(field, batch ? element(field, value, index, size) : value);
            }
        }
        for (String field : LISTABLE) {
            JsonNode value = body.get(field);
            if (value != null && !value.isNull()) {
                own.set(field, value.isArray() ? element(field, value, index, size) : value);
            }
        }
        JsonNode asked = body.path("token_ids_logprob");
        if (asked.isArray()) {
            own.set(
                    "token_ids_logprob",
                    asked.path(0).isArray() ? element("token_ids_logprob", asked, index, size) : asked);
        }
        JsonNode sampling = body.get("sampling_params");
        if (sampling != null && sampling.isArray()) {
            sampling = element("sampling_params", sampling, index, size);
        }
        boolean sharedRid = batch && body.path("rid").isTextual();
        GenerateRequest request = request(own);
        String rid = request.rid() == null ? UUID.randomUUID().toString().replace("-", "") : request.rid();
        return new Prompt(sharedRid ? rid + "_" + index : rid, request, sampling);
    }

    private static GenerateRequest request(ObjectNode own) {
        try {
            return Json.MAPPER.treeToValue(own, GenerateRequest.class);
        } catch (JsonProcessingException e) {
            throw new RequestException(e.getOriginalMessage());
        }
    }

    private static @Nullable JsonNode element(String field, JsonNode value, int index, int size) {
        if (!(value instanceof ArrayNode list) || list.size() != size) {
            throw new RequestException("The length of " + field + " should be equal to the batch size.");
        }
        return list.get(index);
    }
}
