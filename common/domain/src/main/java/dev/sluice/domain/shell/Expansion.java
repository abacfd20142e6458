package dev.sluice.domain.shell;

import dev.sluice.domain.shell.Word.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Expands words as bash would, as far as that can be known without running anything. */
final class Expansion {
    private static final String BLANKS = " \t\n\r";

    private final Variables variables;
    private final Limits limits;
    private final Parameters parameters;
    private final KnownCommands commands;

    /** @param script the path of the script that is read, for {@code $0} */
    Expansion(Variables variables, Limits limits, Supplier<String> script) {
        this.variables = variables;
        this.limits = limits;
        this.parameters = new Parameters(variables, this, limits, script);
        this.commands = new KnownCommands(this);
    }

    /** The arguments that the words come to. */
    List<Field> fields(List<Word> words, @Nullable Doubt doubt) {
        List<Field> fields = new ArrayList<>();
        for (Word word : words) {
            int before = fields.size();
            fields(word, doubt, fields);
            limits.fields(fields.size() - before, word.place());
        }
        return fields;
    }

    /** The text of a word that is not split, as on the right of an assignment. */
    Value value(Word word) {
        Value value = Value.EMPTY;
        StringBuilder text = new StringBuilder();
        List<Gap> gaps = new ArrayList<>();
        for (Part part : word.parts()) {
            value = value(part, word.place());
            text.append(value.text());
            gaps.addAll(value.gaps());
            limits.expand(text.length(), word.place());
        }
        return word.parts().size() == 1 ? value : new Value(text.toString(), gaps);
    }

    private Value value(Part part, Place place) {
        return switch (part) {
            case Part.Literal literal -> Value.of(literal.text());
            case Part.Parameter parameter ->
                parameters.isList(parameter)
                        ? joined(parameters.elements(parameter, place), place)
                        : parameters.value(parameter, place);
            case Part.Sum sum -> sum(sum.expression());
            case Part.Substitution substitution -> commands.value(substitution);
            case Part.Opaque opaque -> Value.unknown(new Gap(opaque.text(), opaque.text() + " is not read", null));
        };
    }

    /** The elements with a blank between them. */
    Value joined(List<Field> elements, Place place) {
        StringBuilder text = new StringBuilder();
        List<Gap> gaps = new ArrayList<>();
        for (int i = 0; i < elements.size(); i++) {
            text.append(i == 0 ? "" : " ").append(elements.get(i).text());
            gaps.addAll(elements.get(i).gaps());
            limits.expand(text.length(), place);
        }
        return new Value(text.toString(), gaps);
    }

    /** The value of an arithmetic expression, or why there is none. */
    Value sum(Word expression) {
        Value text = value(expression);
        String shown = "$((" + text.text().strip() + "))";
        if (!text.known()) {
            return new Value(shown, text.gaps());
        }
        try {
            return Value.of(Long.toString(Sums.value(text.text(), this::number)));
        } catch (Sums.NoValue e) {
            return Value.unknown(new Gap(shown, e.getMessage(), null));
        }
    }

    private Optional<String> number(String name) {
        return variables.value(name).map(value -> {
            if (!value.known()) {
                throw new Sums.NoValue(value.gaps().getFirst().reason());
            }
            return value.text();
        });
    }

    private void fields(Word word, @Nullable Doubt doubt, List<Field> into) {
        Splitter splitter = new Splitter(word.place(), doubt, into);
        for (Part part : word.parts()) {
            boolean list = part instanceof Part.Parameter parameter && parameters.isList(parameter);
            if (list && part instanceof Part.Parameter parameter) {
                List<Field> elements = parameters.elements(parameter, word.place());
                limits.fields(elements.size(), word.place());
                splitter.elements(elements, parameter);
            } else {
                splitter.add(value(part, word.place()), quoted(part));
            }
        }
        splitter.end();
    }

    private static boolean quoted(Part part) {
        return switch (part) {
            case Part.Literal ignored -> true; // what is written is never split
            case Part.Parameter parameter -> parameter.quoted();
            case Part.Sum sum -> sum.quoted();
            case Part.Substitution substitution -> substitution.quoted();
            case Part.Opaque opaque -> opaque.quoted();
        };
    }

    /** Builds arguments from pieces, splitting unquoted ones at blanks. */
    private final class Splitter {
        private final Place place;
        private final @Nullable Doubt doubt;
        private final List<Field> into;
        private Value current = Value.EMPTY;
        private boolean begun;
        private @Nullable Field origin;

        Splitter(Place place, @Nullable Doubt doubt, List<Field> into) {
            this.place = place;
            this.doubt = doubt;
            this.into = into;
        }

        void add(Value value, boolean quoted) {
            limits.expand(current.text().length() + value.text().length(), place);
            if (quoted || !value.known()) { // what is not known is never split: its blanks are its own name's
                current = current.plus(value);
                begun = true;
                return;
            }
            int start = 0;
            String text = value.text();
            for (int i = 0; i <= text.length(); i++) {
                if (i == text.length() || BLANKS.indexOf(text.charAt(i)) >= 0) {
                    if (i > start) {
                        current = current.plus(Value.of(text.substring(start, i)));
                        begun = true;
                    }
                    if (i < text.length()) {
                        end();
                    }
                    start = i + 1;
                }
            }
        }

        void elements(List<Field> elements, Part.Parameter parameter) {
            boolean together = parameter.quoted()
                    && (parameter.index().equals("*") || parameter.name().equals("*"));
            if (together) {
                add(joined(elements, place), true);
                return;
            }
            for (int i = 0; i < elements.size(); i++) {
                if (i > 0) {
                    end();
                }
                origin = begun ? origin : elements.get(i);
                add(elements.get(i).value(), parameter.quoted());
            }
        }

        void end() {
            if (begun) {
                Field from = origin;
                into.add(
                        from == null
                                ? Field.of(current, place, doubt)
                                : Field.of(current, from.place(), from.doubt() == null ? doubt : from.doubt()));
            }
            current = Value.EMPTY;
            begun = false;
            origin = null;
        }
    }
}
