package dev.sluice.domain.shell;

import java.util.List;
import java.util.Set;

/** The shell's own commands that set variables. */
final class Builtins {
    private static final Set<String> SETTING =
            Set.of("unset", "printf", "read", "mapfile", "readarray", "let", "getopts");

    private final Variables variables;
    private final Expansion expansion;

    Builtins(Variables variables, Expansion expansion) {
        this.variables = variables;
        this.expansion = expansion;
    }

    boolean sets(String program) {
        return SETTING.contains(program);
    }

    /** {@code export NAME}, and the exports among what was just assigned. */
    void declare(Statement.Simple simple, String program) {
        List<Field> arguments = expansion.fields(simple.words(), null);
        boolean exports = program.equals("export")
                || arguments.stream().anyMatch(field -> field.text().matches("-\\w*x\\w*"));
        if (exports) {
            simple.assignments().forEach(assignment -> variables.export(assignment.name()));
            arguments.stream().skip(1).map(Field::text).filter(Word::isName).forEach(variables::export);
        }
    }

    void read(List<Word> words, String program) {
        List<Field> arguments = expansion.fields(words, null);
        List<String> names =
                arguments.stream().skip(1).map(Field::text).filter(Word::isName).toList();
        switch (program) {
            case "unset" -> names.forEach(variables::unset);
            case "printf" -> {
                if (arguments.size() > 2 && arguments.get(1).text().equals("-v")) {
                    decidedLater(arguments.get(2).text(), program);
                }
            }
            case "let" ->
                arguments.stream()
                        .skip(1)
                        .map(field -> field.text().replaceFirst("[^A-Za-z0-9_].*", ""))
                        .filter(Word::isName)
                        .forEach(name -> decidedLater(name, program));
            default -> names.forEach(name -> decidedLater(name, program));
        }
    }

    private void decidedLater(String name, String program) {
        variables.set(
                name,
                Value.unknown(new Gap("${" + name + "}", name + " is set by " + program + ", which is not run", null)));
    }
}
