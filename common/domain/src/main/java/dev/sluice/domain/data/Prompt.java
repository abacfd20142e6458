package dev.sluice.domain.data;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a model is asked: plain text, or the messages of a conversation. */
public sealed interface Prompt {

    /** Text as it stands in the row. */
    record Text(String text) implements Prompt {}

    /** A conversation that ends where the model is to answer; at least one message. */
    record Messages(List<Message> messages) implements Prompt {
        public Messages {
            messages = List.copyOf(messages);
        }
    }

    /**
     * One message of a conversation, such as {@code user} and what the user said.
     *
     * @param content its text; empty where it has none, or several parts
     * @param json the whole message as its row has it; absent where it is a role and a text alone
     */
    record Message(String role, String content, @Nullable String json) {
        public Message(String role, String content) {
            this(role, content, null);
        }
    }

    /** Bytes of the text in UTF-8; no tokenizer that falls back to bytes makes more tokens of it. */
    default long utf8Bytes() {
        return switch (this) {
            case Text plain -> bytes(plain.text());
            case Messages talk ->
                talk.messages().stream()
                        .mapToLong(message -> bytes(message.json() == null ? message.content() : message.json()))
                        .sum();
        };
    }

    private static long bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
