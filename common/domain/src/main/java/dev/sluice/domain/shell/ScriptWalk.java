package dev.sluice.domain.shell;

import dev.sluice.domain.shell.ShellReading.MissingSource;
import dev.sluice.domain.shell.Statement.Assignment;
import dev.sluice.domain.shell.Statement.Branch;
import dev.sluice.domain.shell.Statement.Pattern;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Goes through a script's statements in order and keeps what its variables hold. A condition that the text decides is
 * followed; of any other every branch is read, and what they set is in doubt. Loops are read once.
 */
final class ScriptWalk {
    private final Variables variables;
    private final Limits limits = new Limits();
    private final Expansion expansion;
    private final Conditions conditions;
    private final Builtins builtins;
    private final Function<String, Optional<String>> sources;
    private final Deque<ShellScript> open = new ArrayDeque<>();
    private final Map<String, List<Statement>> functions = new HashMap<>();
    private final List<Command> commands = new ArrayList<>();
    private final List<Remark> remarks = new ArrayList<>();
    private final List<MissingSource> missing = new ArrayList<>();
    private @Nullable Doubt doubt;
    private int calls;

    ScriptWalk(Map<String, String> environment, Function<String, Optional<String>> sources) {
        this.sources = sources;
        this.variables = new Variables(environment);
        this.expansion = new Expansion(
                variables, limits, () -> open.isEmpty() ? "" : open.getLast().path());
        this.conditions = new Conditions(expansion, variables);
        this.builtins = new Builtins(variables, expansion);
    }

    /** Reads a script to its end, or to the first thing in it that cannot be read. */
    void read(ShellScript script, String shownAs) {
        open.addLast(script);
        List<Statement> statements = new ArrayList<>();
        try {
            ShellReader.check(script, shownAs);
            new StatementReader(new Cursor(shownAs, script.text().replace("\r\n", "\n"), 1)).script(statements);
        } catch (Unreadable e) {
            remarks.add(e.remark());
        }
        try {
            walk(statements);
        } catch (Unreadable e) {
            remarks.add(e.remark());
        }
        open.removeLast();
    }

    ShellReading reading(Place place) {
        return new ShellReading(commands, variables.exported(place), remarks, missing);
    }

    /** Whether the last statement succeeds; empty where only running it would tell. */
    private Optional<Boolean> walk(List<Statement> statements) {
        Optional<Boolean> last = Optional.of(true);
        for (Statement statement : statements) {
            limits.step(statement.place());
            last = walk(statement);
        }
        return last;
    }

    private Optional<Boolean> walk(Statement statement) {
        return switch (statement) {
            case Statement.Simple simple -> {
                Optional<Boolean> holds = conditions.holds(simple);
                simple(simple);
                yield holds;
            }
            case Statement.Test test -> conditions.holds(test);
            case Statement.Sum sum -> conditions.holds(sum);
            case Statement.Pair pair -> pair(pair);
            case Statement.Not not -> walk(not.statement()).map(truth -> !truth);
            case Statement.Group group -> walk(group.statements());
            case Statement.Choice choice -> unknown(() -> choice(choice));
            case Statement.Match match -> unknown(() -> match(match));
            case Statement.Loop loop -> unknown(() -> loop(loop));
            case Statement.Pipeline pipeline -> unknown(() -> walk(pipeline.statements()));
            case Statement.Function function -> unknown(() -> functions.put(function.name(), function.body()));
        };
    }

    private static Optional<Boolean> unknown(Runnable reading) {
        reading.run();
        return Optional.empty();
    }

    private void choice(Statement.Choice choice) {
        boolean reached = true;
        for (Branch branch : choice.branches()) {
            Optional<Boolean> holds = walk(branch.condition());
            if (holds.isEmpty()) {
                doubting(Doubt.condition(choice.place()), branch.body());
            } else if (holds.get()) {
                read(reached, choice, branch.body());
                return;
            }
            reached &= holds.isPresent();
        }
        read(reached, choice, choice.otherwise());
    }

    /** Reads a branch that is taken unless an earlier one, whose condition is not known, was. */
    private void read(boolean certain, Statement choice, List<Statement> body) {
        if (certain) {
            walk(body);
        } else {
            doubting(Doubt.condition(choice.place()), body);
        }
    }

    private void match(Statement.Match match) {
        boolean reached = true;
        for (Pattern pattern : match.patterns()) {
            Optional<Boolean> fits = conditions.fits(match.subject(), pattern);
            if (fits.isEmpty()) {
                doubting(Doubt.condition(match.place()), pattern.body());
            } else if (fits.get()) {
                read(reached, match, pattern.body());
                return;
            }
            reached &= fits.isPresent();
        }
    }

    private Optional<Boolean> pair(Statement.Pair pair) {
        Optional<Boolean> left = walk(pair.left());
        if (left.isEmpty()) {
            doubting(Doubt.condition(pair.place()), List.of(pair.right()));
            return Optional.empty();
        }
        return left.get() == pair.and() ? walk(List.of(pair.right())) : left;
    }

    private void loop(Statement.Loop loop) {
        if (loop.variable() != null && !loop.variable().isEmpty()) {
            variables.set(loop.variable(), inDoubt(loop.variable(), Doubt.loop(loop.place())));
        }
        doubting(Doubt.loop(loop.place()), loop.body());
    }

    private void doubting(Doubt reason, List<Statement> body) {
        Doubt before = doubt;
        doubt = reason;
        try {
            walk(body);
        } finally {
            doubt = before;
        }
    }

    private void simple(Statement.Simple simple) {
        String program =
                simple.words().isEmpty() ? "" : simple.words().getFirst().bare();
        if (program.isEmpty() || SimpleReader.DECLARING.contains(program)) {
            if (!simple.words().isEmpty() && program.isEmpty()) {
                command(simple);
                return;
            }
            simple.assignments().forEach(this::assign);
            builtins.declare(simple, program);
        } else if (builtins.sets(program)) {
            builtins.read(simple.words(), program);
        } else if (program.equals("source") || program.equals(".")) {
            source(simple);
        } else if (program.equals("eval")) {
            remarks.add(new Remark(
                    Remark.Weight.WARNING, simple.place(), "eval is not read", "write out what it would run"));
        } else if (functions.containsKey(program)) {
            call(functions.get(program), simple);
        } else {
            command(simple);
        }
    }

    private void command(Statement.Simple simple) {
        Map<String, Field> environment = new LinkedHashMap<>();
        for (Assignment assignment : simple.assignments()) {
            environment.put(
                    assignment.name(), Field.of(expansion.value(assignment.value()), assignment.place(), doubt));
        }
        commands.add(new Command(expansion.fields(simple.words(), doubt), environment, simple.place()));
    }

    private void call(List<Statement> body, Statement.Simple simple) {
        if (calls >= Limits.CALL_DEPTH) {
            throw new Unreadable(
                    simple.place(),
                    "functions call one another more than %d deep".formatted(Limits.CALL_DEPTH),
                    "write the launch line outside of functions");
        }
        List<Field> before = variables.positional();
        List<Field> arguments = expansion.fields(simple.words(), doubt);
        variables.positional(arguments.subList(1, arguments.size()));
        calls++;
        try {
            walk(body);
        } finally {
            calls--;
            variables.positional(before);
        }
    }

    private void source(Statement.Simple simple) {
        List<Field> arguments = expansion.fields(simple.words(), doubt);
        if (arguments.size() < 2) {
            return;
        }
        Field file = arguments.get(1);
        if (!file.known()) {
            missing.add(new MissingSource(simple.place(), file.text()));
            return;
        }
        limits.source(open.size(), simple.place());
        String path = Paths.plain(file.text());
        Optional<String> text = sources.apply(path);
        if (text.isEmpty()) {
            missing.add(new MissingSource(simple.place(), path));
            return;
        }
        ShellScript sourced = new ShellScript(Paths.name(path), Paths.folder(path), text.get());
        read(sourced, Paths.seenFrom(open.getFirst().folder(), path));
    }

    private void assign(Assignment assignment) {
        String name = assignment.name();
        List<Word> elements = assignment.elements();
        if (assignment.indexed()) {
            String shown = "${" + name + "[...]}";
            variables.set(name, Value.unknown(new Gap(shown, name + " is filled by index, which is not read", null)));
        } else if (elements != null || (assignment.append() && variables.isArray(name))) {
            List<Field> all = new ArrayList<>();
            if (assignment.append()) {
                all.addAll(variables.elements(name, assignment.place()));
            }
            all.addAll(expansion.fields(elements == null ? List.of(assignment.value()) : elements, doubt));
            limits.fields(all.size(), assignment.place());
            variables.set(name, all);
        } else {
            Value value = expansion.value(assignment.value());
            if (assignment.append()) {
                value = variables.value(name).orElse(Value.EMPTY).plus(value);
            }
            limits.expand(value.text().length(), assignment.place());
            Doubt reason = doubt;
            boolean same = variables.value(name).equals(Optional.of(value));
            variables.set(name, reason == null || same ? value : inDoubt(name, reason));
        }
    }

    private static Value inDoubt(String name, Doubt reason) {
        return Value.unknown(new Gap(
                "${" + name + "}",
                "the value of %s is decided when the script runs (%s)".formatted(name, reason.place()),
                null));
    }
}
