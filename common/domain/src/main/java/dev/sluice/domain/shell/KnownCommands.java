package dev.sluice.domain.shell;

import dev.sluice.domain.shell.Word.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a few commands print that only turn text into text, so that they need not be run: {@code dirname}, {@code
 * basename}, {@code cd ... && pwd}, {@code realpath}, {@code seq}, {@code echo} and {@code cat} of a here-document.
 */
final class KnownCommands {
    private static final int MOST_NUMBERS = 4096;

    private final Expansion expansion;

    KnownCommands(Expansion expansion) {
        this.expansion = expansion;
    }

    Value value(Part.Substitution substitution) {
        List<Statement> statements = substitution.statements();
        Optional<Value> printed = switch (statements.size()) {
            case 1 ->
                statements.getFirst() instanceof Statement.Pair pair && pair.and()
                        ? changedFolder(pair.left(), pair.right())
                        : printed(statements.getFirst());
            case 2 -> changedFolder(statements.getFirst(), statements.getLast());
            default -> Optional.empty();
        };
        return printed.orElseGet(() -> Value.unknown(
                new Gap(substitution.text(), substitution.text() + " is a command, and commands are not run", null)));
    }

    private Optional<Value> changedFolder(Statement first, Statement second) {
        if (!(first instanceof Statement.Simple change) || !(second instanceof Statement.Simple print)) {
            return Optional.empty();
        }
        List<Field> arguments = arguments(change);
        boolean folder = arguments.size() == 2 && name(arguments).equals("cd");
        return folder && name(arguments(print)).equals("pwd")
                ? Optional.of(arguments.getLast().value())
                : Optional.empty();
    }

    private Optional<Value> printed(Statement statement) {
        if (!(statement instanceof Statement.Simple command)
                || !command.assignments().isEmpty()) {
            return Optional.empty();
        }
        List<Field> arguments = arguments(command);
        boolean documented = command.documents().size() == 1;
        if (documented || arguments.isEmpty()) {
            return documented && arguments.size() == 1 && name(arguments).equals("cat")
                    ? Optional.of(withoutLastLines(
                            expansion.value(command.documents().getFirst().word())))
                    : Optional.empty();
        }
        List<Field> rest = arguments.subList(1, arguments.size());
        return switch (name(arguments)) {
            case "dirname" -> only(rest).map(KnownCommands::folder);
            case "basename" -> rest.size() == 2 ? base(rest) : only(rest).map(KnownCommands::base);
            case "realpath" -> only(rest);
            case "readlink" ->
                rest.size() == 2 && rest.getFirst().text().equals("-f") ? only(rest.subList(1, 2)) : Optional.empty();
            case "echo" -> echoed(rest, command.place());
            case "seq" -> numbers(rest);
            default -> Optional.empty();
        };
    }

    /** The command's words without a {@code --} that only ends its options. */
    private List<Field> arguments(Statement.Simple command) {
        List<Field> fields = new ArrayList<>(expansion.fields(command.words(), null));
        if (fields.size() > 1 && fields.get(1).text().equals("--")) {
            fields.remove(1);
        }
        return fields;
    }

    private static String name(List<Field> arguments) {
        return arguments.isEmpty() ? "" : arguments.getFirst().text();
    }

    private static Optional<Value> only(List<Field> arguments) {
        boolean plain = arguments.size() == 1 && !arguments.getFirst().text().startsWith("-");
        return plain ? Optional.of(arguments.getFirst().value()) : Optional.empty();
    }

    private static Value folder(Value path) {
        String text = withoutLastSlashes(path.text());
        int slash = text.lastIndexOf('/');
        String folder = slash < 0 ? "." : slash == 0 ? "/" : withoutLastSlashes(text.substring(0, slash));
        return new Value(folder, path.gaps());
    }

    private static Value base(Value path) {
        String text = withoutLastSlashes(path.text());
        return new Value(text.equals("/") ? text : text.substring(text.lastIndexOf('/') + 1), path.gaps());
    }

    private static Optional<Value> base(List<Field> arguments) {
        Value base = base(arguments.getFirst().value());
        String ending = arguments.getLast().text();
        boolean cut = base.text().endsWith(ending) && base.text().length() > ending.length();
        return base.known() && arguments.getLast().known()
                ? Optional.of(
                        Value.of(cut ? base.text().substring(0, base.text().length() - ending.length()) : base.text()))
                : Optional.empty();
    }

    private Optional<Value> echoed(List<Field> arguments, Place place) {
        boolean plain = arguments.isEmpty() || !arguments.getFirst().text().startsWith("-");
        return plain ? Optional.of(expansion.joined(arguments, place)) : Optional.empty();
    }

    /** {@code seq last}, {@code seq first last} or {@code seq first step last}. */
    private static Optional<Value> numbers(List<Field> arguments) {
        boolean plain = !arguments.isEmpty()
                && arguments.size() <= 3
                && arguments.stream()
                        .allMatch(
                                argument -> argument.known() && argument.text().matches("-?\\d{1,9}"));
        if (!plain) {
            return Optional.empty();
        }
        long first =
                arguments.size() == 1 ? 1 : Long.parseLong(arguments.getFirst().text());
        long step = arguments.size() == 3 ? Long.parseLong(arguments.get(1).text()) : 1;
        long last = Long.parseLong(arguments.getLast().text());
        if (step == 0 || (last - first) / step >= MOST_NUMBERS) {
            return Optional.empty();
        }
        StringBuilder lines = new StringBuilder();
        for (long number = first; step > 0 ? number <= last : number >= last; number += step) {
            lines.append(lines.isEmpty() ? "" : "\n").append(number);
        }
        return Optional.of(Value.of(lines.toString()));
    }

    private static String withoutLastSlashes(String path) {
        int end = path.length();
        while (end > 1 && path.charAt(end - 1) == '/') {
            end--;
        }
        return path.substring(0, end);
    }

    private static Value withoutLastLines(Value printed) {
        int end = printed.text().length();
        while (end > 0 && printed.text().charAt(end - 1) == '\n') {
            end--;
        }
        return new Value(printed.text().substring(0, end), printed.gaps());
    }
}
