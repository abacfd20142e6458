package dev.sluice.domain.request;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.sluice.domain.spelling.Spelling;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A single value of a request against the type its record has for it. */
record RequestValue(JsonNode node, Class<?> type, String path) {
    /** YAML readers take 1e-6 for text because YAML 1.1 wants a dot in it; people write it all the same. */
    private static final Pattern NUMBER = Pattern.compile("[-+]?[0-9]+(\\.[0-9]*)?([eE][-+]?[0-9]{1,3})?");

    private static final int MAX_TEXT = 4096;

    /** Texts that may be white space alone: two newlines can end a response. */
    private static final Set<String> WHITE_SPACE_COUNTS = Set.of("rollout.stop[]", "rollout.stopRegex[]");

    /** Takes a problem: rule, path, message, mend. */
    interface Sink {
        void add(String rule, String path, String message, String mend);
    }

    /** The value with its right type, or empty when a problem was added. */
    Optional<JsonNode> checked(Sink sink) {
        JsonNode value = type.isEnum() ? choice(sink) : scalar();
        if (value == null) {
            return Optional.empty();
        }
        if (value.isMissingNode()) {
            String found = "%s is %s".formatted(path, RequestShape.shortened(node.toString()));
            sink.add("request.type", path, found, "give " + expected(type));
            return Optional.empty();
        }
        Bounds bounds = Bounds.BY_PATH.get(RequestShape.pattern(path));
        if (bounds != null && !bounds.allow(value.asDouble())) {
            sink.add("request.range", path, "%s is %s".formatted(path, value), "give " + bounds);
            return Optional.empty();
        }
        return Optional.of(value);
    }

    private JsonNode scalar() {
        JsonNode missing = JsonNodeFactory.instance.missingNode();
        if (type == boolean.class || type == Boolean.class) {
            return node.isBoolean() ? node : missing;
        }
        if (type == int.class || type == Integer.class) {
            return node.isIntegralNumber() && node.canConvertToInt() ? node : missing;
        }
        if (type == long.class) {
            return node.isIntegralNumber() && node.canConvertToLong() ? node : missing;
        }
        if (type == double.class || type == Double.class) {
            return number();
        }
        if (type == String.class) {
            boolean blank = WHITE_SPACE_COUNTS.contains(RequestShape.pattern(path))
                    ? node.asText().isEmpty()
                    : node.asText().isBlank();
            boolean fits = node.isTextual() && !blank && node.asText().length() <= MAX_TEXT;
            return fits ? node : missing;
        }
        throw new IllegalStateException("no reading for " + type + " at " + path);
    }

    private JsonNode number() {
        boolean written = node.isTextual() && NUMBER.matcher(node.asText()).matches();
        if (!node.isNumber() && !written) {
            return JsonNodeFactory.instance.missingNode();
        }
        double value = written ? Double.parseDouble(node.asText()) : node.asDouble();
        return Double.isFinite(value)
                ? JsonNodeFactory.instance.numberNode(value)
                : JsonNodeFactory.instance.missingNode();
    }

    /** The constant's lower-case name; null when a problem was added. */
    private @Nullable JsonNode choice(Sink sink) {
        List<String> names = names(type);
        String given = node.asText().toLowerCase(Locale.ROOT);
        if (node.isTextual() && names.contains(given)) {
            return JsonNodeFactory.instance.textNode(given);
        }
        sink.add(
                "request.choice",
                path,
                "%s is %s%s"
                        .formatted(path, RequestShape.shortened(node.toString()), Spelling.didYouMean(given, names)),
                "give " + expected(type));
        return null;
    }

    static String expected(Class<?> type) {
        if (type.isEnum()) {
            return "one of " + String.join(", ", names(type));
        }
        return switch (type.getSimpleName()) {
            case "boolean", "Boolean" -> "true or false";
            case "int", "long", "Integer" -> "a whole number";
            case "double", "Double" -> "a number";
            case "String" -> "a text of 1 to " + MAX_TEXT + " letters";
            default -> "a value";
        };
    }

    /** Takes the place of a value that a refused request lacks; no rule may be told of it. */
    static JsonNode standIn(Class<?> type) {
        if (type.isEnum()) {
            return JsonNodeFactory.instance.textNode(names(type).getFirst());
        }
        return switch (type.getSimpleName()) {
            case "boolean", "Boolean" -> JsonNodeFactory.instance.booleanNode(false);
            case "String" -> JsonNodeFactory.instance.textNode("");
            default -> JsonNodeFactory.instance.numberNode(1);
        };
    }

    private static List<String> names(Class<?> type) {
        return Arrays.stream(type.getEnumConstants())
                .map(constant -> ((Enum<?>) constant).name().toLowerCase(Locale.ROOT))
                .toList();
    }
}
