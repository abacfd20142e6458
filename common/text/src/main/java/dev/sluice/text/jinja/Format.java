package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Function.Given;

/** {@code str.format} with plain fields: {@code {}}, {@code {0}} and {@code {name}}; no attributes, no widths. */
final class Format {
    private Format() {}

    static String fill(String pattern, Given given, Budget budget) {
        StringBuilder text = new StringBuilder();
        int automatic = 0;
        int at = 0;
        while (at < pattern.length()) {
            char c = pattern.charAt(at);
            if (c != '{' && c != '}') {
                text.append(c);
                at++;
            } else if (pattern.startsWith(String.valueOf(c).repeat(2), at)) {
                text.append(c);
                at += 2;
            } else {
                int end = pattern.indexOf('}', at);
                if (c == '}' || end < 0) {
                    throw new TemplateException("the format '" + pattern + "' has a single " + c);
                }
                String field = pattern.substring(at + 1, end);
                int place = field.isEmpty() ? automatic++ : -1;
                text.append(budget.made(PythonText.of(value(field, place, given), budget)));
                at = end + 1;
            }
        }
        return text.toString();
    }

    private static Object value(String field, int automatic, Given given) {
        Object value;
        if (field.isEmpty() || field.matches("[0-9]{1,3}")) {
            value = given.at(field.isEmpty() ? automatic : Integer.parseInt(field), "");
        } else if (field.matches("\\w+")) {
            value = given.named().getOrDefault(field, Undefined.name(field));
        } else {
            throw new TemplateException(
                    "the format field {" + field + "} is not supported; known are {}, {0} and {name}");
        }
        if (value instanceof Undefined) {
            throw new TemplateException("the format field {" + field + "} has no value");
        }
        return value;
    }
}
