package dev.sluice.text.jinja;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Python's slice {@code [start:stop:step]} of a text (by code point), list or tuple.
 *
 * @see <a href="https://docs.python.org/3/library/stdtypes.html#common-sequence-operations">Sequence operations</a>
 */
final class Section {
    private Section() {}

    static Object of(
            @Nullable Object value,
            @Nullable Object start,
            @Nullable Object stop,
            @Nullable Object step,
            Budget budget) {
        if (value instanceof Undefined nothing) {
            throw nothing.used();
        }
        if (!(value instanceof String || value instanceof List || value instanceof Tuple)) {
            throw new TemplateException("a " + Values.typeName(value) + " cannot be sliced");
        }
        if (value instanceof String text) {
            budget.charge(text.length());
        }
        List<Integer> places = places(Math.toIntExact(Values.length(value)), start, stop, step, budget);
        return switch (value) {
            case String text -> {
                int[] characters = text.codePoints().toArray();
                StringBuilder part = new StringBuilder();
                places.forEach(place -> part.appendCodePoint(characters[place]));
                yield part.toString();
            }
            case List<?> list -> picked(list, places);
            case Tuple tuple -> new Tuple(picked(tuple.items(), places));
            default -> throw new IllegalStateException("checked above");
        };
    }

    private static List<@Nullable Object> picked(List<?> items, List<Integer> places) {
        List<@Nullable Object> picked = new ArrayList<>(places.size());
        places.forEach(place -> picked.add(items.get(place)));
        return picked;
    }

    private static List<Integer> places(
            int length, @Nullable Object start, @Nullable Object stop, @Nullable Object step, Budget budget) {
        long stride = bound(step, 1);
        if (stride == 0) {
            throw new TemplateException("a slice's step is zero");
        }
        boolean forward = stride > 0;
        long from = clamped(bound(start, forward ? 0 : length - 1), start == null, length, forward);
        long to = stop == null ? (forward ? length : -1) : clamped(bound(stop, 0), false, length, forward);
        List<Integer> places = new ArrayList<>();
        for (long at = from; forward ? at < to : at > to; at = Math.addExact(at, stride)) {
            budget.charge(1);
            places.add((int) at);
        }
        return places;
    }

    private static long bound(@Nullable Object value, long otherwise) {
        return value == null
                ? otherwise
                : Math.clamp(Numbers.small(Numbers.toInteger(value)).longValue(), Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    private static long clamped(long bound, boolean isDefault, int length, boolean forward) {
        long at = bound < 0 && !isDefault ? bound + length : bound;
        return forward ? Math.clamp(at, 0, length) : Math.clamp(at, -1, length - 1);
    }
}
