package dev.sluice.text.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code namespace(...)}: the one thing whose members a loop may set for what comes after it. */
final class Namespace {
    private static final int MAXIMUM_MEMBERS = 1000;
    private final Map<String, @Nullable Object> members = new HashMap<>();

    void set(String name, @Nullable Object value) {
        if (name.startsWith("_")) {
            throw new TemplateException(
                    "a namespace has no member '" + name + "': names that begin with _ are refused");
        }
        members.put(name, value);
        if (members.size() > MAXIMUM_MEMBERS) {
            throw new TemplateException("a namespace has more than " + MAXIMUM_MEMBERS + " members");
        }
    }

    @Nullable
    Object get(String name) {
        return members.containsKey(name)
                ? members.get(name)
                : new Undefined("'namespace object' has no attribute '" + name + "'");
    }
}
