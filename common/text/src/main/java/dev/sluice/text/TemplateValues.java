package dev.sluice.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON as the values of a template, and messages as transformers hands them on.
 *
 * @see <a href="https://github.com/huggingface/transformers/blob/v5.24.0/src/transformers/utils/chat_template_utils.py">
 *     chat_template_utils.py</a>
 */
final class TemplateValues {
    private static final List<String> REASONING = List.of("reasoning_content", "thinking", "reasoning");

    private TemplateValues() {}

    static @Nullable Object of(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> {
                Map<String, @Nullable Object> members = new LinkedHashMap<>();
                node.properties().forEach(entry -> members.put(entry.getKey(), of(entry.getValue())));
                yield members;
            }
            case ARRAY -> {
                List<@Nullable Object> items = new ArrayList<>();
                node.forEach(item -> items.add(of(item)));
                yield items;
            }
            case STRING -> node.textValue();
            case BOOLEAN -> node.booleanValue();
            case NUMBER -> number(node);
            case NULL, MISSING -> null;
            case BINARY, POJO -> throw new IllegalStateException("JSON text has no " + node.getNodeType());
        };
    }

    private static Object number(JsonNode node) {
        if (!node.isIntegralNumber()) {
            return node.doubleValue();
        }
        return node.canConvertToLong() ? (Object) node.longValue() : node.bigIntegerValue();
    }

    /** Members that are null are left out, and reasoning is there under the name that templates read. */
    static List<Map<String, @Nullable Object>> messages(JsonNode messages) {
        if (!messages.isArray() || messages.isEmpty()) {
            throw new IllegalArgumentException("a conversation has at least one message; this one has none");
        }
        List<Map<String, @Nullable Object>> read = new ArrayList<>();
        for (JsonNode message : messages) {
            if (!message.isObject()) {
                throw new IllegalArgumentException("message " + read.size() + " of " + messages.size() + " is a "
                        + message.getNodeType() + "; write {\"role\": ..., \"content\": ...}");
            }
            Map<String, @Nullable Object> members = new LinkedHashMap<>();
            message.properties().stream()
                    .filter(entry -> !entry.getValue().isNull())
                    .forEach(entry -> members.put(entry.getKey(), of(entry.getValue())));
            REASONING.stream().filter(members::containsKey).findFirst().ifPresent(name -> {
                Object reasoning = members.get(name);
                members.putIfAbsent("thinking", reasoning);
                members.put("reasoning_content", reasoning);
            });
            read.add(members);
        }
        return read;
    }
}
