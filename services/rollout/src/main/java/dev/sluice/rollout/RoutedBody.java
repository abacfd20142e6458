package dev.sluice.rollout;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.sluice.http.Json;
import dev.sluice.rollout.task.RoutedRequest;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What routing needs to know of a request of SGLang's API; the body itself goes on as it came, since engines ignore keys that
 * they do not know.
 *
 * @param runId {@code run_id}: the run whose engines are meant; null for the only one
 * @param minVersion {@code min_weight_version}
 * @param exactVersion {@code exact_weight_version}
 * @param session {@code custom_params.sluice_session}, also of the sampling parameters: the sample that it is for, see {@link
 *     dev.sluice.rollout.sampling.RouterSession}
 * @param rid of a single request; null where it has none or several
 * @param samples that are asked for: prompts times n
 */
record RoutedBody(
        @Nullable String runId,
        @Nullable Integer minVersion,
        @Nullable Integer exactVersion,
        @Nullable String session,
        @Nullable String rid,
        int samples) {
    private static final int MAX_SAMPLES = 65_536;

    /** @throws IOException if it is no JSON object, or one of these keys has another type */
    static RoutedBody read(byte[] body) throws IOException {
        String runId = null;
        String rid = null;
        String session = null;
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
                    case "rid" -> rid = value == JsonToken.VALUE_STRING ? parser.getText() : null;
                    case "n" -> each = value == JsonToken.VALUE_NULL ? 1 : number(parser, key);
                    case "text", "prompt", "input_ids" -> prompts = Math.max(prompts, prompts(parser));
                    case "sampling_params" -> {
                        Sampling sampling = Sampling.read(parser);
                        each = sampling.n() == null ? each : sampling.n();
                        session = sampling.session() == null ? session : sampling.session();
                    }
                    case "custom_params" -> session = sessionOf(parser);
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
        if (session != null && runId == null && session.contains(RoutedRequest.SESSION_SEPARATOR)) {
            runId = session.substring(0, session.indexOf(RoutedRequest.SESSION_SEPARATOR));
        }
        return new RoutedBody(runId, min, exact, session, prompts == 1 ? rid : null, (int) samples);
    }

    RoutedRequest request() {
        return new RoutedRequest(minVersion, exactVersion, session, samples);
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

    /** The session of custom parameters. Leaves the parser at the value's end. */
    private static @Nullable String sessionOf(JsonParser parser) throws IOException {
        String session = null;
        if (parser.currentToken() == JsonToken.START_OBJECT) {
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String key = parser.currentName();
                parser.nextToken();
                if (key.equals("sluice_session")) {
                    session = text(parser, key);
                }
                parser.skipChildren();
            }
        }
        return session;
    }

    /** What sampling parameters say of these. */
    private record Sampling(@Nullable Integer n, @Nullable String session) {
        /** Leaves the parser at the value's end. */
        static Sampling read(JsonParser parser) throws IOException {
            Integer n = null;
            String session = null;
            if (parser.currentToken() == JsonToken.START_OBJECT) {
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String key = parser.currentName();
                    parser.nextToken();
                    switch (key) {
                        case "n" -> n = number(parser, key);
                        case "custom_params" -> session = sessionOf(parser);
                        default -> parser.skipChildren();
                    }
                }
            }
            return new Sampling(n, session);
        }
    }
}
