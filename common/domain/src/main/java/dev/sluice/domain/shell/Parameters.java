package dev.sluice.domain.shell;

import dev.sluice.domain.shell.Word.Part;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Expands {@code $name}, <code>${name}</code> and their forms with operators. */
final class Parameters {
    private static final String SCRIPT = "BASH_SOURCE";

    private final Variables variables;
    private final Expansion expansion;
    private final Supplier<String> script;
    private final Limits limits;

    Parameters(Variables variables, Expansion expansion, Limits limits, Supplier<String> script) {
        this.variables = variables;
        this.expansion = expansion;
        this.limits = limits;
        this.script = script;
    }

    /** Whether the parameter stands for any number of words. */
    boolean isList(Part.Parameter parameter) {
        boolean all = parameter.index().equals("@")
                || parameter.index().equals("*")
                || parameter.name().equals("@")
                || parameter.name().equals("*");
        return all && !parameter.length() && parameter.operator().isEmpty();
    }

    List<Field> elements(Part.Parameter parameter, Place place) {
        boolean arguments = parameter.name().equals("@") || parameter.name().equals("*");
        return arguments ? variables.positional() : variables.elements(parameter.name(), place);
    }

    Value value(Part.Parameter parameter, Place place) {
        if (parameter.length()) {
            return length(parameter, place);
        }
        Optional<Value> value = plain(parameter, place);
        String operator = parameter.operator();
        boolean emptyCounts = operator.startsWith(":");
        boolean there = value.isPresent()
                && !(emptyCounts && value.get().known() && value.get().text().isEmpty());
        return switch (operator) {
            case "" -> value.orElseGet(() -> Value.unknown(unset(parameter)));
            case ":-", "-" -> there ? value.get() : expansion.value(parameter.operand());
            case ":=", "=" -> there ? value.get() : assigned(parameter);
            case ":+", "+" -> there ? expansion.value(parameter.operand()) : Value.EMPTY;
            case ":?", "?" -> there ? value.get() : Value.unknown(unset(parameter));
            default -> trimmed(parameter, value, place);
        };
    }

    private Value assigned(Part.Parameter parameter) {
        Value value = expansion.value(parameter.operand());
        if (Word.isName(parameter.name())) {
            variables.set(parameter.name(), value);
        }
        return value;
    }

    private Value trimmed(Part.Parameter parameter, Optional<Value> value, Place place) {
        String shown = "${%s%s...}".formatted(parameter.name(), parameter.operator());
        if (value.isEmpty()) {
            return Value.unknown(unset(parameter));
        }
        Value pattern = expansion.value(parameter.operand());
        if (!value.get().known() || !pattern.known()) {
            List<Gap> gaps = value.get().known() ? pattern.gaps() : value.get().gaps();
            return new Value(shown, gaps);
        }
        long length = Math.min(value.get().text().length(), Glob.LONGEST_TEXT);
        limits.work(length * length, place); // a pattern is tried at every place of the text
        return Glob.without(value.get().text(), pattern.text(), parameter.operator())
                .map(Value::of)
                .orElseGet(() -> Value.unknown(new Gap(shown, shown + " is too long to be read", null)));
    }

    private Value length(Part.Parameter parameter, Place place) {
        boolean all = parameter.index().equals("@") || parameter.index().equals("*");
        if (all) {
            return Value.of(
                    Integer.toString(variables.elements(parameter.name(), place).size()));
        }
        return plain(parameter, place)
                .map(value -> value.known()
                        ? Value.of(Integer.toString(value.text().length()))
                        : new Value("${#" + parameter.name() + "}", value.gaps()))
                .orElse(Value.of("0"));
    }

    private Optional<Value> plain(Part.Parameter parameter, Place place) {
        String name = parameter.name();
        if (name.equals(SCRIPT) || name.equals("0")) {
            return Optional.of(Value.of(script.get()));
        }
        if (name.equals("#")) {
            return Optional.of(Value.of(Integer.toString(variables.positional().size())));
        }
        if (Character.isDigit(name.charAt(0))) {
            int number = Integer.parseInt(name);
            return variables.positional().stream().skip(number - 1L).findFirst().map(Field::value);
        }
        if (parameter.index().isEmpty()) {
            return variables.value(name);
        }
        List<Field> elements = variables.elements(name, place);
        if (!parameter.index().matches("\\d{1,5}")) {
            String shown = "${%s[%s]}".formatted(name, parameter.index());
            return Optional.of(Value.unknown(new Gap(shown, shown + " is not read", null)));
        }
        return elements.stream()
                .skip(Integer.parseInt(parameter.index()))
                .findFirst()
                .map(Field::value);
    }

    private static Gap unset(Part.Parameter parameter) {
        String name = parameter.name();
        if (Word.isName(name)) {
            return Gap.unset(name);
        }
        return new Gap(
                "$" + name,
                Character.isDigit(name.charAt(0))
                        ? "$" + name + " is an argument of the script, which is read without arguments"
                        : "$" + name + " is known only while the script runs",
                null);
    }
}
