package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Function.Given;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Methods of Python's {@code str}; indexes count code points. */
final class StringMethods {
    private StringMethods() {}

    /** The method of a text; null where there is none of that name. */
    static @Nullable Function of(String text, String name, Budget budget) {
        Function method = switch (name) {
            case "strip" -> given -> PythonText.strip(text, characters(given), true, true);
            case "lstrip" -> given -> PythonText.strip(text, characters(given), true, false);
            case "rstrip" -> given -> PythonText.strip(text, characters(given), false, true);
            case "split" -> given -> Splitting.split(text, given, budget);
            case "rsplit" -> given -> Splitting.rsplit(text, given, budget);
            case "splitlines" -> given -> Splitting.lines(text, given.flag(0, "keepends", false), budget);
            case "startswith" -> given -> affix(given).stream().anyMatch(text::startsWith);
            case "endswith" -> given -> affix(given).stream().anyMatch(text::endsWith);
            case "removeprefix" ->
                given -> text.startsWith(given.text(0, "prefix"))
                        ? text.substring(given.text(0, "prefix").length())
                        : text;
            case "removesuffix" ->
                given -> text.endsWith(given.text(0, "suffix"))
                        ? text.substring(
                                0, text.length() - given.text(0, "suffix").length())
                        : text;
            case "upper" -> given -> text.toUpperCase(Locale.ROOT);
            case "lower" -> given -> text.toLowerCase(Locale.ROOT);
            case "title" -> given -> title(text);
            case "capitalize" -> given -> capitalized(text);
            case "replace" ->
                given ->
                        replace(text, given.text(0, "old"), given.text(1, "new"), given.number(2, "count", -1), budget);
            case "find" -> given -> place(text, text.indexOf(given.text(0, "sub")));
            case "rfind" -> given -> place(text, text.lastIndexOf(given.text(0, "sub")));
            case "count" -> given -> occurrences(text, given.text(0, "sub"), budget);
            case "join" -> given -> join(text, Values.items(given.required(0, "iterable"), budget), budget);
            case "format" -> given -> Format.fill(text, given, budget);
            case "isdigit", "isnumeric", "isdecimal" -> given -> all(text, Character::isDigit);
            case "isalpha" -> given -> all(text, Character::isLetter);
            case "isalnum" -> given -> all(text, Character::isLetterOrDigit);
            case "isspace" -> given -> all(text, PythonText::isSpace);
            case "isupper" ->
                given -> text.chars().anyMatch(Character::isUpperCase)
                        && text.chars().noneMatch(Character::isLowerCase);
            case "islower" ->
                given -> text.chars().anyMatch(Character::isLowerCase)
                        && text.chars().noneMatch(Character::isUpperCase);
            default -> null;
        };
        return method == null
                ? null
                : given -> {
                    budget.charge(text.length());
                    return method.call(given);
                };
    }

    private static @Nullable String characters(Given given) {
        return given.at(0, "chars", null) == null ? null : given.text(0, "chars");
    }

    private static List<String> affix(Given given) {
        if (given.at(0, "prefix") instanceof Tuple several) {
            return several.items().stream().map(String.class::cast).toList();
        }
        return List.of(given.text(0, "prefix"));
    }

    private static boolean all(String text, IntPredicate kind) {
        return !text.isEmpty() && text.codePoints().allMatch(kind);
    }

    private static long place(String text, int index) {
        return index < 0 ? -1 : text.codePointCount(0, index);
    }

    static String capitalized(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.offsetByCodePoints(0, 1);
        return text.substring(0, first).toUpperCase(Locale.ROOT)
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    static String title(String text) {
        StringBuilder title = new StringBuilder();
        boolean[] inWord = new boolean[1];
        text.codePoints().forEach(c -> {
            title.appendCodePoint(inWord[0] ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord[0] = Character.isLetter(c);
        });
        return title.toString();
    }

    static String replace(String text, String old, String replacement, int count, Budget budget) {
        long found = old.isEmpty() ? text.length() + 1L : occurrences(text, old, budget);
        long replaced = count < 0 ? found : Math.min(found, count);
        budget.charge(text.length() + replaced * replacement.length());
        if (old.isEmpty() || count < 0) {
            return text.replace(old, replacement);
        }
        StringBuilder changed = new StringBuilder();
        int at = 0;
        for (long i = 0; i < replaced; i++) {
            int next = text.indexOf(old, at);
            changed.append(text, at, next).append(replacement);
            at = next + old.length();
        }
        return changed.append(text, at, text.length()).toString();
    }

    private static long occurrences(String text, String part, Budget budget) {
        budget.charge(text.length());
        if (part.isEmpty()) {
            return text.codePointCount(0, text.length()) + 1L;
        }
        long found = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
            found++;
        }
        return found;
    }

    static String join(String separator, List<@Nullable Object> items, Budget budget) {
        List<String> texts = new ArrayList<>();
        for (Object item : items) {
            if (!(item instanceof String text)) {
                throw new TemplateException("only texts can be joined, and one item is a " + Values.typeName(item));
            }
            budget.charge(text.length() + separator.length());
            texts.add(text);
        }
        return String.join(separator, texts);
    }
}
