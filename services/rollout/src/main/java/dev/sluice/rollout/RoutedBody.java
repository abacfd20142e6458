package dev.sluice.rollout;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.sluice.http.Json;
import dev.sluice.rollout.task.RoutedRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * What routing needs to know of a request of SGLang's API; the body itself goes on as it came, since engines ignore keys that
 * they do not know.
 *
 * @param runId {@code run_id}: the run whose engines are meant; null for the only one
 * @param minVersion {@code min_weight_version}
 * @param exactVersion {@code exact_weight_version}
 * @param session {@code routing_key}, {@code session_id} or {@code session_params.id}: requests that share a conversation;
 *     null where it names none
 * @param hook {@code custom_params.sluice_session}, also of the sampling parameters: the sample that it is for, see {@link
 *     dev.sluice.rollout.sampling.RouterSession}
 * @param ranked whether it names its data-parallel rank itself
 * @param rid of a single request; null where it has none or several
 * @param samples that are asked for: prompts times n
 */
record RoutedBody(
        @Nullable String runId,
        @Nullable Integer minVersion,
        @Nullable Integer exactVersion,
        @Nullable String session,
        @Nullable String hook,
        boolean ranked,
        @Nullable String rid,
        int samples) {
    private static final int MAX_SAMPLES = 65_536;

    /** @throws IOException if it is no JSON object, or one of these keys has another type */
    static RoutedBody read(byte[] body) throws IOException {
        String runId = null;
        String rid = null;
        String session = null;
        String hook = null;
        boolean ranked = false;
        Integer min = null;
        Integer exact = null;
        int prompts = 1;
        int each = 1;
        try (JsonParser parser = Json.MAPPER.createParser(body)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("the body is no JSON object");
            }
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String key = parser.currentName();
                JsonToken value = parser.nextToken();
                switch (key) {
                    case "run_id" -> runId = text(parser, key);
                    case "min_weight_version" -> min = number(parser, key);
                    case "exact_weight_version" -> exact = number(parser, key);
                    case "routing_key", "session_id" -> session = orElse(text(parser, key), session);
                    case "session_params" -> session = value == JsonToken.START_OBJECT ? id(parser) : session;
                    case "routed_dp_rank", "data_parallel_rank" -> ranked |= value != JsonToken.VALUE_NULL;
                    case "rid" -> rid = value == JsonToken.VALUE_STRING ? parser.getText() : null;
                    case "n" -> each = value == JsonToken.VALUE_NULL ? 1 : number(parser, key);
                    case "text", "prompt", "input_ids" -> prompts = Math.max(prompts, prompts(parser));
                    case "sampling_params" -> {
                        Sampling sampling = Sampling.read(parser);
                        each = sampling.n() == null ? each : sampling.n();
                        hook = orElse(sampling.hook(), hook);
                    }
                    case "custom_params" -> hook = orElse(hookOf(parser), hook);
                    default -> {}
                }
                if (parser.currentToken().isStructStart()) {
                    parser.skipChildren();
                }
            }
        }
        long samples = (long) prompts * each;
        if (samples < 1 || samples > MAX_SAMPLES) {
            throw new IOException("it asks for %d samples; 1 to %d are taken".formatted(samples, MAX_SAMPLES));
        }
        if (hook != null && runId == null && hook.contains(RoutedRequest.SESSION_SEPARATOR)) {
            runId = hook.substring(0, hook.indexOf(RoutedRequest.SESSION_SEPARATOR));
        }
        return new RoutedBody(runId, min, exact, session, hook, ranked, prompts == 1 ? rid : null, (int) samples);
    }

    /** @param routingKey that the request's head names; null where it names none */
    RoutedRequest request(@Nullable String routingKey) {
        return new RoutedRequest(minVersion, exactVersion, orElse(routingKey, orElse(session, hook)), hook, samples);
    }

    /**
     * The body with the data-parallel rank that is to serve it, under the names of all versions of SGLang.
     *
     * @param body an object, as {@link #read} has found
     */
    static byte[] withRank(byte[] body, int rank) {
        int open = 0;
        while (body[open] != '{') {
            open++;
        }
        byte[] more = "\"routed_dp_rank\":%1$d,\"data_parallel_rank\":%1$d,"
                .formatted(rank)
                .getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(body.length + more.length)
                .put(body, 0, open + 1)
                .put(more)
                .put(body, open + 1, body.length - open - 1)
                .array();
    }

    private static @Nullable String orElse(@Nullable String one, @Nullable String other) {
        return one == null ? other : one;
    }

    private static @Nullable String text(JsonParser parser, String key) throws IOException {
        return switch (parser.currentToken()) {
            case VALUE_NULL -> null;
            case VALUE_STRING -> parser.getText();
            default -> throw new IOException(key + " must be a text");
        };
    }

    private static @Nullable Integer number(JsonParser parser, String key) throws IOException {
        return switch (parser.currentToken()) {
            case VALUE_NULL -> null;
            case VALUE_NUMBER_INT -> parser.getIntValue();
            default -> throw new IOException(key + " must be a whole number");
        };
    }

    /** Texts of a list, or lists of token ids in a list; 1 for a single prompt. Leaves the parser at the value's end. */
    private static int prompts(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            return 1;
        }
        int prompts = 0;
        boolean single = false;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            single |= parser.currentToken().isNumeric();
            parser.skipChildren();
            prompts++;
        }
        return single || prompts == 0 ? 1 : prompts;
    }

    /** The id of session parameters. Leaves the parser at the object's end. */
    private static @Nullable String id(JsonParser parser) throws IOException {
        String id = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            parser.nextToken();
            id = key.equals("id") ? text(parser, "session_params.id") : id;
            parser.skipChildren();
        }
        return id;
    }

    /** A hook's session in custom parameters. Leaves the parser at the value's end. */
    private static @Nullable String hookOf(JsonParser parser) throws IOException {
        String hook = null;
        if (parser.currentToken() == JsonToken.START_OBJECT) {
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String key = parser.currentName();
                parser.nextToken();
                if (key.equals("sluice_session")) {
                    hook = text(parser, key);
                }
                parser.skipChildren();
            }
        }
        return hook;
    }

    /** What sampling parameters say of these. */
    private record Sampling(@Nullable Integer n, @Nullable String hook) {
        /** Leaves the parser at the value's end. */
        static Sampling read(JsonParser parser) throws IOException {
            Integer n = null;
            String hook = null;
            if (parser.currentToken() == JsonToken.START_OBJECT) {
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String key = parser.currentName();
                    parser.nextToken();
                    switch (key) {
                        case "n" -> n = number(parser, key);
                        case "custom_params" -> hook = hookOf(parser);
                        default -> parser.skipChildren();
                    }
                }
            }
            return new Sampling(n, hook);
        }
    }
}
