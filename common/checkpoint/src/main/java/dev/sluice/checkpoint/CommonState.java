package dev.sluice.checkpoint;

import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleValue.Bool;
import dev.sluice.checkpoint.pickle.PickleValue.Dict;
import dev.sluice.checkpoint.pickle.PickleValue.Entry;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import dev.sluice.checkpoint.pickle.PickleValue.Instance;
import dev.sluice.checkpoint.pickle.PickleValue.Int;
import dev.sluice.checkpoint.pickle.PickleValue.Real;
import dev.sluice.checkpoint.pickle.PickleValue.Sequence;
import dev.sluice.checkpoint.pickle.PickleValue.Text;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The part of a checkpoint that is not tensors, as plain Java values: maps, lists, strings, numbers, booleans and null. */
final class CommonState {
    private static final int MAX_DEPTH = 32;
    private static final int MAX_VALUES = 1_000_000;
    /** Texts become part of longer ones, and a pickle may refer to one text many times. */
    private static final int MAX_CHARACTERS = 4 << 20;

    private static final int MAX_DESCRIPTION = 1000;
    private static final Global NAMESPACE = new Global("argparse", "Namespace");

    private final String where;
    private int values;
    private long characters;

    private CommonState(String where) {
        this.where = where;
    }

    static Map<String, Object> of(PickleValue pickled, String where) {
        PickleValue state = pickled instanceof Sequence list && list.items().size() == 1
                ? list.items().getFirst()
                : pickled;
        if (state instanceof Dict dict) {
            return new CommonState(where).map(dict, 0);
        }
        throw new CheckpointException(where + " does not hold a dict");
    }

    /** The pickle of a map of plain values; the map {@code args} becomes the namespace that Megatron expects. */
    static Dict pickle(Map<String, ?> state) {
        Dict dict = new Dict();
        state.forEach((key, value) -> {
            PickleValue pickled = toPickle(value);
            dict.put(key, key.equals("args") ? NAMESPACE.create().withState(pickled) : pickled);
        });
        return dict;
    }

    private static PickleValue toPickle(@Nullable Object value) {
        return switch (value) {
            case null -> PickleValue.NONE;
            case Boolean bool -> new Bool(bool);
            case Integer number -> new Int(number);
            case Long number -> new Int(number);
            case Double number -> new Real(number);
            case String text -> new Text(text);
            case List<?> list ->
                Sequence.of(list.stream().map(CommonState::toPickle).toList());
            case Map<?, ?> map -> {
                Dict dict = new Dict();
                map.forEach((key, item) -> dict.put(String.valueOf(key), toPickle(item)));
                yield dict;
            }
            default ->
                throw new IllegalArgumentException("cannot store a " + value.getClass() + " in the common state");
        };
    }

    private Map<String, Object> map(Dict dict, int depth) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (Entry entry : dict.entries()) {
            map.put(description(plain(entry.key(), depth + 1)), plain(entry.value(), depth + 1));
        }
        return map;
    }

    private @Nullable Object plain(PickleValue value, int depth) {
        if (depth > MAX_DEPTH || ++values > MAX_VALUES) {
            throw new CheckpointException("%s: the common state is nested deeper than %d or has more than %d values"
                    .formatted(where, MAX_DEPTH, MAX_VALUES));
        }
        return switch (value) {
            case PickleValue.None none -> null;
            case Bool bool -> bool.value();
            case Int number -> number.value();
            case PickleValue.Wide number -> number.value();
            case Real number -> number.value();
            case Text text -> counted(text.value());
            case PickleValue.Bytes bytes -> "<%d bytes>".formatted(bytes.value().length);
            case Tuple tuple -> list(tuple.items(), depth);
            case Sequence sequence -> list(sequence.items(), depth);
            case Dict dict -> map(dict, depth);
            case Global global -> global.toString();
            case PickleValue.PersistentId id -> "<tensor>";
            case Instance instance -> instance(instance, depth);
        };
    }

    private List<Object> list(List<PickleValue> items, int depth) {
        List<Object> list = new ArrayList<>();
        items.forEach(item -> list.add(plain(item, depth + 1)));
        return list;
    }

    /** Namespaces and dict types keep their content; enums, paths and whatever else appear as text. */
    private @Nullable Object instance(Instance instance, int depth) {
        if (instance.type().equals(NAMESPACE) && instance.state().orElse(null) instanceof Dict attributes) {
            return map(attributes, depth);
        }
        if (!instance.items().entries().isEmpty() || instance.type().name().equals("OrderedDict")) {
            return map(instance.items(), depth);
        }
        return description(instance.type() + list(instance.arguments(), depth).toString());
    }

    private String counted(String text) {
        characters += text.length();
        if (characters > MAX_CHARACTERS) {
            throw new CheckpointException(
                    "%s: the common state repeats its texts beyond %d characters".formatted(where, MAX_CHARACTERS));
        }
        return text;
    }

    private static String description(@Nullable Object value) {
        String text = String.valueOf(value);
        return text.length() <= MAX_DESCRIPTION ? text : text.substring(0, MAX_DESCRIPTION) + "...";
    }
}
