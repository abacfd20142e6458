package dev.sluice.domain.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.sluice.domain.spelling.Spelling;
import dev.sluice.events.EventJson;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One pass over a prompt file. */
final class PromptScan {
    private static final ObjectReader JSON =
            EventJson.mapper().readerFor(JsonNode.class).with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final int MAX_KEYS_COMPARED = 50;
    private static final JsonNode NO_LABEL = JsonNodeFactory.instance.textNode("");

    private final RowKeys keys;
    private final Consumer<PromptRow> usable;
    private final Map<String, RowProblem> problems = new LinkedHashMap<>();
    private int rows;
    private int broken;
    private long longestPromptBytes;
    private int conversations;
    private int line;

    PromptScan(RowKeys keys, Consumer<PromptRow> usable) {
        this.keys = keys;
        this.usable = usable;
    }

    PromptRows.Summary run(BoundedLines lines) throws IOException {
        while (lines.advance()) {
            line++;
            if (line > PromptRows.MAX_ROWS) {
                refuse("the file has more than %d lines; split it".formatted(PromptRows.MAX_ROWS));
                break;
            }
            take(lines);
        }
        return new PromptRows.Summary(rows, broken, List.copyOf(problems.values()), longestPromptBytes, conversations);
    }

    private void take(BoundedLines lines) {
        String text = lines.text();
        if (lines.tooLong()) {
            refuse("longer than %d bytes".formatted(PromptRows.MAX_LINE_BYTES));
        } else if (text == null) {
            refuse("not UTF-8");
        } else if (!text.isBlank()) {
            JsonNode row = parse(text);
            if (row != null) {
                take(row);
            }
        }
    }

    private @Nullable JsonNode parse(String text) {
        try {
            JsonNode row = JSON.readTree(text);
            if (row.isObject()) {
                return row;
            }
            refuse("a JSON object was expected, such as {\"%s\": ..., \"%s\": ...}"
                    .formatted(keys.prompt(), keys.label()));
        } catch (JsonProcessingException e) {
            refuse("not JSON: " + e.getOriginalMessage());
        }
        return null;
    }

    private void take(JsonNode row) {
        List<String> absent = Stream.of(keys.prompt(), keys.label())
                .filter(key -> !row.has(key) && (keys.labelled() || !key.equals(keys.label())))
                .map(key -> "no key %s%s".formatted(key, Spelling.didYouMean(key, present(row))))
                .toList();
        if (!absent.isEmpty()) {
            refuse(String.join("; ", absent));
            return;
        }
        Prompt prompt = RowPrompt.of(row.get(keys.prompt()));
        RowTools tools = RowTools.of(row.path(keys.tools()));
        boolean unlabelled = !keys.labelled() && !row.hasNonNull(keys.label());
        JsonNode label = unlabelled ? NO_LABEL : row.get(keys.label());
        if (prompt == null) {
            refuse("%s holds neither text nor a list of {role, content} messages".formatted(keys.prompt()));
        } else if (!label.isValueNode() || label.isNull()) {
            refuse("%s is neither text nor a number".formatted(keys.label()));
        } else if (tools.problem() != null) {
            refuse("%s %s".formatted(keys.tools(), tools.problem()));
        } else {
            JsonNode metadata = row.path(keys.metadata());
            String text = metadata.isObject() && !metadata.isEmpty() ? metadata.toString() : null;
            if (text != null && text.length() > PromptRow.MAX_METADATA) {
                refuse("%s is longer than %d letters".formatted(keys.metadata(), PromptRow.MAX_METADATA));
                return;
            }
            rows++;
            conversations += prompt instanceof Prompt.Messages ? 1 : 0;
            longestPromptBytes = Math.max(longestPromptBytes, prompt.utf8Bytes());
            usable.accept(new PromptRow(line, prompt, label.asText(), text, tools.json()));
        }
    }

    private static List<String> present(JsonNode row) {
        return row.propertyStream()
                .map(Map.Entry::getKey)
                .limit(MAX_KEYS_COMPARED)
                .toList();
    }

    private void refuse(String message) {
        broken++;
        if (problems.containsKey(message) || problems.size() < PromptRows.MAX_REPORTED) {
            problems.merge(
                    message,
                    new RowProblem(line, 0, message),
                    (first, next) -> new RowProblem(first.line(), first.alike() + 1, message));
        }
    }
}
