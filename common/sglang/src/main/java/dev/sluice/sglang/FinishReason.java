package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/** Why a sample ended. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = FinishReason.Stop.class, name = "stop"),
    @JsonSubTypes.Type(value = FinishReason.Length.class, name = "length"),
    @JsonSubTypes.Type(value = FinishReason.Abort.class, name = "abort")
})
public sealed interface FinishReason {

    /** The output holds a stop token or stop text. */
    record Stop(Matched matched) implements FinishReason {}

    /** The output reached {@code max_new_tokens}, in tokens. */
    record Length(int length) implements FinishReason {}

    /**
     * The request was aborted; what it had generated is in the reply.
     *
     * @param statusCode the HTTP status of the refusal where the engine refused it, null where a client aborted it
     */
    record Abort(
            @Nullable String message,

            @JsonProperty("status_code") @JsonInclude @Nullable
            Integer statusCode,

            @JsonProperty("err_type") @JsonInclude @Nullable String errorType)
            implements FinishReason {

        /** A running request was aborted by a client. */
        public static Abort whileRunning() {
            return new Abort("Aborted", null, null);
        }

        /** A request was aborted before it ran. */
        public static Abort whileWaiting() {
            return new Abort("Abort in waiting queue", null, null);
        }
    }

    /** What ended the output: on the wire a number or a string. */
    sealed interface Matched {
        record Token(@JsonValue int id) implements Matched {}

        record Text(@JsonValue String text) implements Matched {}

        @JsonCreator
        static Matched of(JsonNode value) {
            return value.isNumber() ? new Token(value.intValue()) : new Text(value.asText());
        }
    }
}
