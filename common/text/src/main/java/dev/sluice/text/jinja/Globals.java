package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Function.Given;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template can call: Jinja2's own and those that transformers adds. */
final class Globals {
    private static final int MAXIMUM_RANGE = 100_000;

    private Globals() {}

    static void define(Scope scope, Budget budget, Clock clock) {
        scope.set("range", (Function) given -> range(given, budget));
        scope.set("dict", (Function) given -> new LinkedHashMap<>(given.named()));
        scope.set("namespace", (Function) Globals::namespace);
        scope.set("raise_exception", (Function) given -> {
            throw new TemplateException(
                    "the template refuses the conversation: " + PythonText.of(given.required(0, "message"), budget));
        });
        scope.set("strftime_now", (Function) given -> now(given.text(0, "format"), ZonedDateTime.now(clock)));
    }

    private static Namespace namespace(Given given) {
        Namespace namespace = new Namespace();
        if (!given.positional().isEmpty() && given.positional().getFirst() instanceof Map<?, ?> members) {
            members.forEach((name, value) -> namespace.set(String.valueOf(name), value));
        }
        given.named().forEach(namespace::set);
        return namespace;
    }

    private static List<@Nullable Object> range(Given given, Budget budget) {
        boolean onlyStop = given.positional().size() < 2;
        long start = onlyStop ? 0 : number(given, 0);
        long stop = number(given, onlyStop ? 0 : 1);
        long step = given.positional().size() < 3 ? 1 : number(given, 2);
        if (step == 0) {
            throw new TemplateException("a range's step is zero");
        }
        List<@Nullable Object> numbers = new ArrayList<>();
        for (long at = start; step > 0 ? at < stop : at > stop; at += step) {
            budget.step();
            numbers.add(at);
            if (numbers.size() > MAXIMUM_RANGE) {
                throw new TemplateException("a range has more than " + MAXIMUM_RANGE + " numbers");
            }
        }
        return numbers;
    }

    private static long number(Given given, int place) {
        return given.number(place, "stop", 0);
    }

    /** The directives of strftime that prompts use; others stay as they are written. */
    private static String now(String format, ZonedDateTime time) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                text.append(c);
                continue;
            }
            char directive = format.charAt(++i);
            String pattern = pattern(directive);
            text.append(
                    directive == '%'
                            ? "%"
                            : pattern.isEmpty()
                                    ? "%" + directive
                                    : time.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH)));
        }
        return text.toString();
    }

    private static String pattern(char directive) {
        return switch (directive) {
            case 'Y' -> "yyyy";
            case 'y' -> "yy";
            case 'm' -> "MM";
            case 'd' -> "dd";
            case 'B' -> "MMMM";
            case 'b' -> "MMM";
            case 'A' -> "EEEE";
            case 'a' -> "EEE";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'p' -> "a";
            case 'j' -> "DDD";
            default -> "";
        };
    }
}
