package dev.sluice.domain.reward;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import org.jspecify.annotations.Nullable;

/**
 * What a reward judges.
 *
 * @param prompt what was asked, as text
 * @param text what was generated, without special tokens
 * @param label what the prompt's row says is right, absent where it says nothing
 * @param metadata the row's metadata, or a missing node
 */
public record Response(String prompt, String text, @Nullable String label, JsonNode metadata) {

    /** A response to a row without metadata. */
    public static Response of(String text, String label) {
        return new Response("", text, label, MissingNode.getInstance());
    }

    /** The same with another text. */
    Response withText(String other) {
        return new Response(prompt, other, label, metadata);
    }
}
