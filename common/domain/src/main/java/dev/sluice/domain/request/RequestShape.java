package dev.sluice.domain.request;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.spelling.Spelling;
import dev.sluice.events.Problem;
import dev.sluice.events.Rollout;
import dev.sluice.events.TrainingRequest;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Compares a document with the records of {@link TrainingRequest} and collects what does not fit. */
final class RequestShape {
    private static final int MAX_LIST = 64;
    private static final Set<Class<?>> LAYOUTS = Set.of(TrainingRequest.Layout.class, Rollout.RolloutLayout.class);
    private static final int MAX_PROBLEMS = 100;
    private static final String ELEMENT = "[]";

    private final List<Problem> problems = new ArrayList<>();

    List<Problem> problems() {
        return problems.stream().limit(MAX_PROBLEMS).toList();
    }

    /** Checks what is there. Returns the same document with numbers as numbers and {@code layout: auto} spelt out. */
    JsonNode check(JsonNode document) {
        return record(document, TrainingRequest.class, "");
    }

    /**
     * Checks that nothing is absent once the defaults are in. What is absent gets a stand-in, so that the rules can look
     * at the rest of the document and a person hears of everything at once.
     */
    void requireAll(ObjectNode filled) {
        require(filled, TrainingRequest.class, "");
    }

    private ObjectNode record(JsonNode node, Class<?> type, String path) {
        ObjectNode checked = JsonNodeFactory.instance.objectNode();
        List<String> known = Arrays.stream(type.getRecordComponents())
                .map(RecordComponent::getName)
                .toList();
        node.properties().forEach(entry -> {
            String key = entry.getKey();
            RecordComponent component = component(type, key);
            if (component == null) {
                String where = path.isEmpty() ? "a request" : path;
                add(
                        "request.unknown-key",
                        at(path, key),
                        "unknown key " + shortened(key) + Spelling.didYouMean(key, known),
                        "remove it; the keys of %s are %s".formatted(where, String.join(", ", known)));
            } else if (!entry.getValue().isNull()) {
                value(entry.getValue(), component, at(path, key)).ifPresent(value -> checked.set(key, value));
            }
        });
        return checked;
    }

    private Optional<JsonNode> value(JsonNode node, RecordComponent component, String path) {
        Class<?> type = component.getType();
        if (type == List.class) {
            return list(node, component, path);
        }
        if (type == Map.class) {
            return map(node, path);
        }
        if (type.isRecord()) {
            if (LAYOUTS.contains(type) && node.asText().equals("auto")) {
                return Optional.of(JsonNodeFactory.instance.objectNode());
            }
            return node.isObject() ? Optional.of(record(node, type, path)) : wrongType(path, node, "a group of keys");
        }
        return new RequestValue(node, type, path).checked(this::add);
    }

    private Optional<JsonNode> list(JsonNode node, RecordComponent component, String path) {
        Class<?> element = (Class<?>) ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0];
        if (!node.isArray()) {
            return wrongType(path, node, "a list");
        }
        if (node.size() > MAX_LIST) {
            add("request.range", path, "has %d entries".formatted(node.size()), "give at most " + MAX_LIST);
            return Optional.empty();
        }
        ArrayNode checked = JsonNodeFactory.instance.arrayNode();
        for (int i = 0; i < node.size(); i++) {
            String place = "%s[%d]".formatted(path, i);
            if (element == String.class || element == Integer.class) {
                new RequestValue(node.get(i), element, place).checked(this::add).ifPresent(checked::add);
            } else if (node.get(i).isObject()) {
                checked.add(record(node.get(i), element, place));
            } else {
                wrongType(place, node.get(i), "a group of keys");
            }
        }
        return Optional.of(checked);
    }

    /** Names and short texts, such as further flags; numbers and truth values become text. */
    private Optional<JsonNode> map(JsonNode node, String path) {
        if (!node.isObject()) {
            return wrongType(path, node, "a group of keys");
        }
        if (node.size() > MAX_LIST) {
            add("request.range", path, "has %d entries".formatted(node.size()), "give at most " + MAX_LIST);
            return Optional.empty();
        }
        ObjectNode checked = JsonNodeFactory.instance.objectNode();
        node.properties().forEach(entry -> {
            JsonNode text = entry.getValue().isValueNode() && !entry.getValue().isNull()
                    ? JsonNodeFactory.instance.textNode(entry.getValue().asText())
                    : entry.getValue();
            new RequestValue(text, String.class, at(path, entry.getKey()))
                    .checked(this::add)
                    .ifPresent(value -> checked.set(entry.getKey(), value));
        });
        return Optional.of(checked);
    }

    private void require(ObjectNode node, Class<?> type, String path) {
        for (RecordComponent component : type.getRecordComponents()) {
            String place = at(path, component.getName());
            JsonNode value = node.get(component.getName());
            if (value == null) {
                requireMissing(node, component, place);
            } else if (value instanceof ObjectNode group && component.getType().isRecord()) {
                require(group, component.getType(), place);
            } else if (value instanceof ArrayNode list) {
                Class<?> element =
                        (Class<?>) ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0];
                for (int i = 0; element.isRecord() && i < list.size(); i++) {
                    require((ObjectNode) list.get(i), element, "%s[%d]".formatted(place, i));
                }
            }
        }
    }

    private void requireMissing(ObjectNode parent, RecordComponent component, String path) {
        boolean refusedAlready =
                problems.stream().anyMatch(problem -> problem.path().equals(path));
        if (component.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
            return;
        }
        if (component.getType().isRecord()) {
            require(parent.putObject(component.getName()), component.getType(), path);
        } else {
            parent.set(component.getName(), RequestValue.standIn(component.getType()));
            if (!refusedAlready) {
                add(
                        "request.missing",
                        path,
                        path + " is missing and has no default",
                        "give " + RequestValue.expected(component.getType()));
            }
        }
    }

    private Optional<JsonNode> wrongType(String path, JsonNode node, String expected) {
        add("request.type", path, "%s is %s".formatted(path, shortened(node.toString())), "give " + expected);
        return Optional.empty();
    }

    private void add(String rule, String path, String message, String mend) {
        problems.add(Problem.error(rule, path, message, mend));
    }

    static String shortened(String text) {
        return text.length() <= 60 ? text : text.substring(0, 57) + "...";
    }

    /** The path without list positions, as {@link Bounds} spells it. */
    static String pattern(String path) {
        return path.replaceAll("\\[\\d+]", ELEMENT);
    }

    private static @Nullable RecordComponent component(Class<?> type, String name) {
        return Arrays.stream(type.getRecordComponents())
                .filter(component -> component.getName().equals(name))
                .findFirst()
                .orElse(null);
    }

    private static String at(String path, String key) {
        return path.isEmpty() ? shortened(key) : path + "." + shortened(key);
    }
}
