package dev.sluice.domain.slime;

import dev.sluice.domain.shell.Doubt;
import dev.sluice.domain.shell.Field;
import dev.sluice.domain.shell.Place;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A flag that a script gives.
 *
 * @param values as many as the flag takes
 * @param place where it is written
 * @param doubt why it may not be given after all, where it may not
 */
record ScriptFlag(
        KnownFlag known,
        List<Field> values,
        Place place,
        @Nullable Doubt doubt) {
    ScriptFlag {
        values = List.copyOf(values);
    }

    String name() {
        return known.name();
    }

    /** Whether all of its values are known without running the script. */
    boolean decided() {
        return values.stream().allMatch(Field::known);
    }

    List<String> texts() {
        return values.stream().map(Field::text).toList();
    }

    /** All values as a request writes them in one text. */
    String text() {
        return String.join(" ", texts());
    }
}
