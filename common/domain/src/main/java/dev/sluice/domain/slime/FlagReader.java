package dev.sluice.domain.slime;

import dev.sluice.domain.shell.Doubt;
import dev.sluice.domain.shell.Field;
import dev.sluice.domain.shell.Place;
import dev.sluice.domain.slime.Finding.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Takes the launch line's arguments apart as slime's argparse would, and finds what it would refuse or ignore. */
final class FlagReader {
    private static final int MOST_FLAGS = 2000;

    /** Suggestions cost a comparison with every known flag. */
    private static final int MOST_SUGGESTIONS = 50;

    private static final Pattern FLAG = Pattern.compile("--[A-Za-z][A-Za-z0-9_-]*(?s:=.*)?");

    private final Findings findings;
    private final Map<String, ScriptFlag> flags = new LinkedHashMap<>();
    private int suggestions;

    private FlagReader(Findings findings) {
        this.findings = findings;
    }

    /** The known flags by name, each with as many values as it takes; of a repeated one the last. */
    static Map<String, ScriptFlag> read(List<Field> arguments, Findings findings) {
        FlagReader reader = new FlagReader(findings);
        int at = 0;
        int count = 0;
        while (at < arguments.size()) {
            int end = at + 1;
            while (end < arguments.size()
                    && !FLAG.matcher(arguments.get(end).text()).matches()) {
                end++;
            }
            if (++count > MOST_FLAGS) {
                Place place = arguments.get(at).place();
                findings.error(
                        Kind.SYNTAX,
                        place,
                        null,
                        "the launch line has more than %,d flags".formatted(MOST_FLAGS),
                        "shorten it");
                break;
            }
            reader.take(arguments.get(at), arguments.subList(at + 1, end));
            at = end;
        }
        return reader.flags;
    }

    private void take(Field first, List<Field> rest) {
        if (!FLAG.matcher(first.text()).matches()) {
            stray(first);
            rest.forEach(this::stray);
            return;
        }
        int equals = first.text().indexOf('=');
        String name = equals < 0 ? first.text() : first.text().substring(0, equals);
        List<Field> values = new ArrayList<>(rest);
        if (equals >= 0) {
            values.addFirst(new Field(first.text().substring(equals + 1), first.place(), first.gaps(), first.doubt()));
        }
        Optional<KnownFlag> known = FlagTable.find(name);
        if (known.isEmpty()) {
            unknown(name, first.place());
            return;
        }
        dropBlank(known.get(), values);
        if (!known.get().arity().allows(values.size())) {
            wrongCount(known.get(), values, first.place());
            return;
        }
        put(new ScriptFlag(known.get(), values, first.place(), doubt(first, values)));
    }

    private static @Nullable Doubt doubt(Field first, List<Field> values) {
        return first.doubt() != null
                ? first.doubt()
                : values.stream()
                        .map(Field::doubt)
                        .filter(Objects::nonNull)
                        .findFirst()
                        .orElse(null);
    }

    /** A variable without a value, on its own, is no argument at all; it counts as one only where one is missing. */
    private void dropBlank(KnownFlag known, List<Field> values) {
        while (!values.isEmpty()
                && values.getLast().blank()
                && (known.arity() == KnownFlag.Arity.NONE
                        || known.arity() == KnownFlag.Arity.ONE && values.size() > 1)) {
            Field blank = values.removeLast();
            findings.note(blank.place(), null, nothingFrom(blank), "give it with --env where it holds flags");
        }
    }

    private void stray(Field field) {
        if (field.blank()) {
            findings.note(field.place(), null, nothingFrom(field), "give it with --env where it holds flags");
        } else {
            findings.error(
                    Kind.SYNTAX,
                    field.place(),
                    null,
                    "\"%s\" stands before any flag".formatted(shortened(field.text())),
                    "remove it, or put its flag before it");
        }
    }

    private static String nothingFrom(Field blank) {
        return "%s: nothing was read from it".formatted(blank.gaps().getFirst().reason());
    }

    private void unknown(String name, Place place) {
        boolean suggest = ++suggestions <= MOST_SUGGESTIONS;
        if (name.startsWith("--router-")) {
            findings.note(place, name, "there is no router: rollout instances take work from a topic", "remove it");
            return;
        }
        findings.error(
                Kind.UNKNOWN,
                place,
                name,
                "neither slime nor Megatron nor SGLang has this flag, so slime would ignore it%s"
                        .formatted(suggest ? FlagTable.didYouMean(name) : ""),
                (suggest ? FlagTable.nearest(name) : Optional.<String>empty())
                        .map(nearest -> "write " + nearest + ", or remove it")
                        .orElse("remove it"));
    }

    private void wrongCount(KnownFlag known, List<Field> values, Place place) {
        String given = values.isEmpty()
                ? "none is given"
                : "%d are given: %s"
                        .formatted(
                                values.size(),
                                shortened(String.join(
                                        " ", values.stream().map(Field::text).toList())));
        findings.error(
                Kind.VALUE,
                place,
                known.name(),
                "it takes %s; %s".formatted(known.arity(), given),
                values.isEmpty() ? "give its value" : "remove what is too much");
    }

    private void put(ScriptFlag flag) {
        ScriptFlag before = flags.remove(flag.name());
        flags.put(flag.name(), flag);
        if (before != null && !before.texts().equals(flag.texts())) {
            findings.note(
                    flag.place(),
                    flag.name(),
                    "it is given twice; %s counts, and %s of %s does not"
                            .formatted(shortened(flag.text()), shortened(before.text()), before.place()),
                    "remove the first");
        }
    }

    static String shortened(String text) {
        String line = text.replace('\n', ' ');
        return line.length() <= 60 ? line : line.substring(0, 57) + "...";
    }
}
