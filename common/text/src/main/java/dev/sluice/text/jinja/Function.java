package dev.sluice.text.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What can be called: macros, methods and the few global functions. */
@FunctionalInterface
interface Function {
    @Nullable
    Object call(Given given);

    /** The values of a call's arguments. */
    record Given(List<@Nullable Object> positional, Map<String, @Nullable Object> named) {
        static final Given NOTHING = new Given(List.of(), Map.of());

        /** The argument at a place or of a name; Undefined where it is not given. */
        @Nullable
        Object at(int place, String name) {
            if (place < positional.size()) {
                return positional.get(place);
            }
            return named.containsKey(name) ? named.get(name) : Undefined.name(name);
        }

        @Nullable
        Object at(int place, String name, @Nullable Object otherwise) {
            Object value = at(place, name);
            return value instanceof Undefined ? otherwise : value;
        }

        @Nullable
        Object required(int place, String name) {
            if (place >= positional.size() && !named.containsKey(name)) {
                throw new TemplateException("the argument '" + name + "' is missing");
            }
            return at(place, name);
        }

        String text(int place, String name) {
            Object value = required(place, name);
            if (value instanceof String text) {
                return text;
            }
            throw new TemplateException("the argument '" + name + "' must be a text, not " + Values.typeName(value));
        }

        int number(int place, String name, int otherwise) {
            Object value = at(place, name, (long) otherwise);
            if (value instanceof Long number) {
                return (int) Math.clamp(number, Integer.MIN_VALUE, Integer.MAX_VALUE);
            }
            throw new TemplateException(
                    "the argument '" + name + "' must be a whole number, not " + Values.typeName(value));
        }

        boolean flag(int place, String name, boolean otherwise) {
            return Values.truth(at(place, name, otherwise));
        }

        Given after(int places) {
            return new Given(positional.subList(Math.min(places, positional.size()), positional.size()), named);
        }
    }
}
