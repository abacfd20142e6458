package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Function.Given;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code split}, {@code rsplit} and {@code splitlines} of Python's {@code str}. */
final class Splitting {
    private static final String LINE_ENDS = "\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029";

    private Splitting() {}

    static List<@Nullable Object> split(String text, Given given, Budget budget) {
        int most = given.number(1, "maxsplit", -1);
        List<@Nullable Object> parts = new ArrayList<>();
        String separator = separator(given);
        if (separator == null) {
            return words(text, most, budget);
        }
        int at = 0;
        int next = text.indexOf(separator);
        while (next >= 0 && (most < 0 || parts.size() < most)) {
            budget.step();
            parts.add(text.substring(at, next));
            at = next + separator.length();
            next = text.indexOf(separator, at);
        }
        parts.add(text.substring(at));
        return parts;
    }

    static List<@Nullable Object> rsplit(String text, Given given, Budget budget) {
        int most = given.number(1, "maxsplit", -1);
        String separator = separator(given);
        if (separator == null) {
            if (most < 0) {
                return words(text, most, budget);
            }
            throw new TemplateException("rsplit at white space with maxsplit is not supported");
        }
        List<@Nullable Object> parts = new ArrayList<>();
        int end = text.length();
        int next = text.lastIndexOf(separator);
        while (next >= 0 && (most < 0 || parts.size() < most)) {
            budget.step();
            parts.add(text.substring(next + separator.length(), end));
            end = next;
            next = end < separator.length() ? -1 : text.lastIndexOf(separator, end - separator.length());
        }
        parts.add(text.substring(0, end));
        Collections.reverse(parts);
        return parts;
    }

    private static @Nullable String separator(Given given) {
        if (given.at(0, "sep", null) == null) {
            return null;
        }
        String separator = given.text(0, "sep");
        if (separator.isEmpty()) {
            throw new TemplateException("a text cannot be split at an empty separator");
        }
        return separator;
    }

    private static List<@Nullable Object> words(String text, int most, Budget budget) {
        List<@Nullable Object> words = new ArrayList<>();
        String rest = PythonText.strip(text, null, true, false);
        while (!rest.isEmpty()) {
            budget.step();
            int end = 0;
            while (end < rest.length() && !PythonText.isSpace(rest.charAt(end))) {
                end++;
            }
            if (most >= 0 && words.size() == most) {
                words.add(PythonText.strip(rest, null, false, true));
                break;
            }
            words.add(rest.substring(0, end));
            // Each word copies what is left of the text.
            budget.charge(rest.length() - end);
            rest = PythonText.strip(rest.substring(end), null, true, false);
        }
        return words;
    }

    static List<@Nullable Object> lines(String text, boolean keepEnds, Budget budget) {
        List<@Nullable Object> lines = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            budget.step();
            int end = at;
            while (end < text.length() && LINE_ENDS.indexOf(text.charAt(end)) < 0) {
                end++;
            }
            int next = Math.min(text.length(), text.startsWith("\r\n", end) ? end + 2 : end + 1);
            lines.add(text.substring(at, keepEnds ? next : end));
            at = next;
        }
        return lines;
    }
}
