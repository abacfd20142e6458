package dev.sluice.checkpoint;

import dev.sluice.checkpoint.pickle.PickleValue;
import dev.sluice.checkpoint.pickle.PickleValue.Dict;
import dev.sluice.checkpoint.pickle.PickleValue.Global;
import dev.sluice.checkpoint.pickle.PickleValue.Instance;
import dev.sluice.checkpoint.pickle.PickleValue.PersistentId;
import dev.sluice.checkpoint.pickle.PickleValue.Sequence;
import dev.sluice.checkpoint.pickle.PickleValue.Tuple;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Tells values of the kind that we write from what else a pickle may hold: no cycles, no depth, no bytes, names in ASCII. */
final class PlainPickle {
    private static final int MAX_DEPTH = 50;
    private static final int MAX_VALUES = 5000;

    private int values;

    private PlainPickle() {}

    static boolean canBeWritten(PickleValue value) {
        return new PlainPickle().plain(value, 0);
    }

    private boolean plain(PickleValue value, int depth) {
        if (depth > MAX_DEPTH || ++values > MAX_VALUES) {
            return false;
        }
        return switch (value) {
            case PickleValue.Wide wide -> false;
            case PickleValue.Bytes bytes -> false;
            case Global name -> StandardCharsets.US_ASCII.newEncoder().canEncode(name.toString());
            case Tuple tuple -> all(tuple.items(), depth);
            case Sequence sequence -> all(sequence.items(), depth);
            case Dict dict ->
                dict.entries().stream()
                        .allMatch(entry -> plain(entry.key(), depth + 1) && plain(entry.value(), depth + 1));
            case Instance instance ->
                plain(instance.type(), depth + 1)
                        && all(instance.arguments(), depth)
                        && plain(instance.state().orElse(PickleValue.NONE), depth + 1);
            case PersistentId id -> plain(id.value(), depth + 1);
            default -> true;
        };
    }

    private boolean all(List<PickleValue> items, int depth) {
        return items.stream().allMatch(item -> plain(item, depth + 1));
    }
}
