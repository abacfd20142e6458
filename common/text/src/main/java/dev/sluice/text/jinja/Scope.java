package dev.sluice.text.jinja;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Names with their values; a loop's pass and a macro's call have their own, inside the one around them. */
final class Scope {
    private final @Nullable Scope around;
    private final Map<String, @Nullable Object> values = new HashMap<>();

    Scope(@Nullable Scope around) {
        this.around = around;
    }

    void set(String name, @Nullable Object value) {
        values.put(name, value);
    }

    @Nullable
    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.around) {
            if (scope.values.containsKey(name)) {
                return scope.values.get(name);
            }
        }
        return Undefined.name(name);
    }
}
