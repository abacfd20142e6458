package dev.sluice.domain.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Values of a config.json, each checked where it is read; what is wrong with one becomes a problem and reading goes on.
 * {@code null} means absent, as transformers writes it.
 *
 * @param config objects that hold keys, the first one that has a key counts
 * @param defaults values of absent keys
 * @param problems collects what is wrong
 */
record ConfigValues(List<JsonNode> config, JsonNode defaults, List<String> problems) {
    /** Stands for a number that could not be read; no check may build on it. */
    static final int UNKNOWN = 0;

    private static final double LARGEST_NUMBER = 1e12;
    private static final int EXCERPT = 40;

    void problem(String text, Object... values) {
        problems.add(text.formatted(values));
    }

    /** Whether the config itself has a value for the key. */
    boolean has(String key) {
        return config.stream().anyMatch(source -> !absent(source.path(key)));
    }

    /** The value of the first key that the config has, else the default, else a missing node. */
    JsonNode find(String... keys) {
        return Stream.concat(config.stream(), Stream.of(defaults))
                .flatMap(source -> Arrays.stream(keys).map(source::path))
                .filter(value -> !absent(value))
                .findFirst()
                .orElse(MissingNode.getInstance());
    }

    /** A whole number of at least 1, or {@link #UNKNOWN}. */
    int size(int most, String... keys) {
        return whole(1, most, keys);
    }

    /** A whole number of at least 0; 0 also where it could not be read. */
    int count(int most, String... keys) {
        return whole(0, most, keys);
    }

    private int whole(int least, int most, String... keys) {
        JsonNode node = find(keys);
        String key = Arrays.stream(keys).filter(this::has).findFirst().orElse(keys[0]);
        if (!node.isIntegralNumber() || node.doubleValue() < least) {
            problem("%s is %s; a %s number is needed", key, shown(node), least == 0 ? "whole" : "positive whole");
            return UNKNOWN;
        }
        if (node.doubleValue() > most) {
            problem("%s is %s; at most %d is believed", key, shown(node), most);
            return UNKNOWN;
        }
        return node.intValue();
    }

    /** A number above 0, or NaN. */
    double positive(String key) {
        return number(key, Double.MIN_VALUE, "a number above 0 is needed");
    }

    /** A number of at least 0, or NaN. */
    double notNegative(String key) {
        return number(key, 0, "a number of at least 0 is needed");
    }

    private double number(String key, double least, String needed) {
        JsonNode node = find(key);
        double number = node.isNumber() ? node.doubleValue() : Double.NaN;
        if (number >= least && number <= LARGEST_NUMBER) {
            return number;
        }
        problem("%s is %s; %s", key, shown(node), needed);
        return Double.NaN;
    }

    boolean flag(String key) {
        JsonNode node = find(key);
        if (!node.isBoolean()) {
            problem("%s is %s; true or false is needed", key, shown(node));
        }
        return node.booleanValue();
    }

    String text(String key) {
        JsonNode node = find(key);
        if (!node.isTextual()) {
            problem("%s is %s; a text is needed", key, shown(node));
        }
        return node.asText("");
    }

    /** A value as a message may show it: short, whatever it is. */
    static String shown(JsonNode node) {
        return switch (node.getNodeType()) {
            case MISSING -> "missing";
            case ARRAY -> "a list";
            case OBJECT -> "an object";
            case STRING -> "\"" + shortened(node.textValue()) + "\"";
            default -> shortened(node.asText());
        };
    }

    private static boolean absent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    private static String shortened(String text) {
        return text.length() <= EXCERPT ? text : text.substring(0, EXCERPT) + "...";
    }
}
