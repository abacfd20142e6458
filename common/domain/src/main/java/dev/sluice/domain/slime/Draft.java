package dev.sluice.domain.slime;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.shell.Place;
import dev.sluice.domain.slime.Finding.Kind;
import dev.sluice.events.TrainingRequest;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A request that is being made of a script's flags. A value that cannot be read is found once and then absent. */
final class Draft {
    private static final Pattern WHOLE = Pattern.compile("[-+]?[0-9]{1,15}");
    private static final Pattern NUMBER =
            Pattern.compile("[-+]?([0-9]{1,40}(\\.[0-9]{0,40})?|\\.[0-9]{1,40})([eE][-+]?[0-9]{1,3})?");

    private final Map<String, ScriptFlag> flags;
    private final Findings findings;
    private final Place launch;
    private final ObjectNode request = JsonNodeFactory.instance.objectNode();
    private final Set<String> reported = new HashSet<>();
    private final Map<String, Place> places = new HashMap<>();
    /** The flag that was read last, from which the next value is made. */
    private @Nullable ScriptFlag read;

    /** @param launch where training is started, for what is missing */
    Draft(Map<String, ScriptFlag> flags, Findings findings, Place launch) {
        this.flags = flags;
        this.findings = findings;
        this.launch = launch;
        request.put("name", "unnamed").put("backend", "gpu");
    }

    Findings findings() {
        return findings;
    }

    Collection<ScriptFlag> flags() {
        return flags.values();
    }

    /** Whether the script gives the flag, be its value known or not. */
    boolean has(String flag) {
        return flags.containsKey(flag);
    }

    Place place(String flag) {
        ScriptFlag given = flags.get(flag);
        return given == null ? launch : given.place();
    }

    /** All values, empty where the flag is absent or a value is not known. */
    List<String> texts(String flag) {
        ScriptFlag given = flags.get(flag);
        read = given == null ? read : given;
        return given == null || !given.decided() ? List.of() : given.texts();
    }

    Optional<String> text(String flag) {
        return texts(flag).stream().findFirst();
    }

    Optional<Long> whole(String flag) {
        return text(flag)
                .flatMap(text -> checked(flag, text, WHOLE, "a whole number"))
                .map(Long::parseLong);
    }

    long whole(String flag, long otherwise) {
        return whole(flag).orElse(otherwise);
    }

    Optional<Double> number(String flag) {
        return text(flag)
                .flatMap(text -> checked(flag, text, NUMBER, "a number"))
                .map(Double::parseDouble);
    }

    double number(String flag, double otherwise) {
        return number(flag).orElse(otherwise);
    }

    private Optional<String> checked(String flag, String text, Pattern pattern, String expected) {
        if (pattern.matcher(text).matches()) {
            return Optional.of(text);
        }
        if (reported.add(flag)) {
            findings.error(
                    Kind.VALUE,
                    place(flag),
                    flag,
                    "\"%s\" is not %s".formatted(FlagReader.shortened(text), expected),
                    "give " + expected);
        }
        return Optional.empty();
    }

    /** Finds that the script does not say what a request must. */
    void missing(String flag, String mend) {
        findings.error(Kind.MISSING, launch, flag, "the script does not give it, and it has no default", mend);
    }

    /** Writes a value at a dotted path, such as {@code rollout.layout.dp}. */
    void put(String path, JsonNode value) {
        ObjectNode node = request;
        int start = 0;
        for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', start)) {
            String key = path.substring(start, dot);
            node = node.get(key) instanceof ObjectNode inner ? inner : node.putObject(key);
            start = dot + 1;
        }
        node.set(path.substring(start), value);
        if (read != null) {
            places.put(path, read.place());
            read = null;
        }
    }

    /** Where the flags stand that values were made of, by path. */
    Map<String, Place> places() {
        return places;
    }

    void put(String path, long value) {
        put(path, wholeNode(value));
    }

    void put(String path, double value) {
        put(path, JsonNodeFactory.instance.numberNode(value));
    }

    void put(String path, boolean value) {
        put(path, JsonNodeFactory.instance.booleanNode(value));
    }

    void put(String path, String value) {
        put(path, JsonNodeFactory.instance.textNode(value));
    }

    /** Writes a further flag under its own name, with the type that its text looks like. */
    void putFlag(String path, String name, ScriptFlag flag) {
        ObjectNode node = request.at("/" + path.replace('.', '/')) instanceof ObjectNode group ? group : null;
        if (node == null) {
            put(path, JsonNodeFactory.instance.objectNode());
            node = (ObjectNode) request.at("/" + path.replace('.', '/'));
        }
        node.set(name, flag.values().isEmpty() ? JsonNodeFactory.instance.booleanNode(true) : typed(flag.text()));
    }

    private static JsonNode typed(String text) {
        if (WHOLE.matcher(text).matches()) {
            return wholeNode(Long.parseLong(text));
        }
        return NUMBER.matcher(text).matches()
                ? JsonNodeFactory.instance.numberNode(new BigDecimal(text).doubleValue())
                : JsonNodeFactory.instance.textNode(text);
    }

    private static JsonNode wholeNode(long value) {
        return value == (int) value
                ? JsonNodeFactory.instance.numberNode((int) value)
                : JsonNodeFactory.instance.numberNode(value);
    }

    /** The request with its keys in the order of {@link TrainingRequest}. */
    ObjectNode finished() {
        return ordered(request, TrainingRequest.class);
    }

    private static ObjectNode ordered(ObjectNode values, Class<?> type) {
        ObjectNode ordered = JsonNodeFactory.instance.objectNode();
        for (RecordComponent key : type.getRecordComponents()) {
            JsonNode value = values.get(key.getName());
            if (value instanceof ObjectNode group && key.getType().isRecord()) {
                ordered.set(key.getName(), ordered(group, key.getType()));
            } else if (value != null) {
                ordered.set(key.getName(), value);
            }
        }
        if (ordered.size() != values.size()) {
            throw new IllegalStateException("a request has no key for all of " + values);
        }
        return ordered;
    }
}
