package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Expression.Filtered;
import dev.sluice.text.jinja.Function.Given;
import dev.sluice.text.jinja.Statement.Branch;
import dev.sluice.text.jinja.Statement.Parameter;
import dev.sluice.text.jinja.Statement.Placed;
import dev.sluice.text.jinja.Statement.Target;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs statements. */
final class Renderer {
    /** How a statement ended: most go on, {@code break} and {@code continue} leave what is around them. */
    private enum Flow {
        GOES_ON,
        BREAKS,
        CONTINUES
    }

    private final Budget budget;
    private final Evaluator evaluator;
    private StringBuilder output = new StringBuilder();
    private int line = 1;

    Renderer(Budget budget) {
        this.budget = budget;
        this.evaluator = new Evaluator(budget);
    }

    String render(List<Placed> template, Scope scope) {
        try {
            run(template, scope);
            return output.toString();
        } catch (TemplateException e) {
            throw e.at(line);
        }
    }

    private Flow run(List<Placed> body, Scope scope) {
        for (Placed placed : body) {
            line = placed.line();
            budget.enter();
            Flow flow = run(placed.statement(), scope);
            budget.leave();
            if (flow != Flow.GOES_ON) {
                return flow;
            }
        }
        return Flow.GOES_ON;
    }

    private Flow run(Statement statement, Scope scope) {
        switch (statement) {
            case Statement.Text text -> write(text.text());
            case Statement.Output value -> write(PythonText.of(evaluator.value(value.value(), scope), budget));
            case Statement.If choice -> {
                return choose(choice, scope);
            }
            case Statement.For loop -> loop(loop, scope);
            case Statement.Set set -> assign(set.target(), evaluator.value(set.value(), scope), scope);
            case Statement.SetText set ->
                assign(set.target(), filtered(captured(set.body(), new Scope(scope)), set.filters(), scope), scope);
            case Statement.FilterText filter ->
                write(PythonText.of(
                        filtered(captured(filter.body(), new Scope(scope)), filter.filters(), scope), budget));
            case Statement.Generation generation -> write(captured(generation.body(), new Scope(scope)));
            case Statement.Macro macro -> scope.set(macro.name(), (Function) given -> call(macro, given, scope));
            case Statement.Break end -> {
                return Flow.BREAKS;
            }
            case Statement.Continue end -> {
                return Flow.CONTINUES;
            }
        }
        return Flow.GOES_ON;
    }

    private void write(String text) {
        budget.charge(text.length());
        if (output.length() + text.length() > Budget.MAXIMUM_OUTPUT_CHARACTERS) {
            throw new TemplateException("the rendered text is longer than " + Budget.MAXIMUM_OUTPUT_CHARACTERS
                    + " characters; shorten the conversation");
        }
        output.append(text);
    }

    private Flow choose(Statement.If choice, Scope scope) {
        for (Branch branch : choice.branches()) {
            if (Values.truth(evaluator.value(branch.condition(), scope))) {
                return run(branch.body(), scope);
            }
        }
        return run(choice.otherwise(), scope);
    }

    private void loop(Statement.For loop, Scope scope) {
        List<@Nullable Object> items = new ArrayList<>();
        for (Object item : Values.items(evaluator.value(loop.items(), scope), budget)) {
            budget.step();
            if (loop.condition() != null) {
                Scope pass = new Scope(scope);
                assign(loop.target(), item, pass);
                if (!Values.truth(evaluator.value(loop.condition(), pass))) {
                    continue;
                }
            }
            items.add(item);
        }
        Loop state = new Loop(items, scope.get("loop") instanceof Loop around ? around.depth() + 1 : 1);
        for (int i = 0; i < items.size(); i++) {
            state.moveTo(i);
            Scope pass = new Scope(scope);
            pass.set("loop", state);
            assign(loop.target(), items.get(i), pass);
            if (run(loop.body(), pass) == Flow.BREAKS) {
                break;
            }
        }
        if (items.isEmpty()) {
            run(loop.otherwise(), new Scope(scope));
        }
    }

    private void assign(Target target, @Nullable Object value, Scope scope) {
        switch (target) {
            case Statement.Variable variable -> scope.set(variable.name(), value);
            case Statement.Member member -> {
                if (!(scope.get(member.namespace()) instanceof Namespace namespace)) {
                    throw new TemplateException("'" + member.namespace() + "' is no namespace, and only a namespace's"
                            + " members can be set");
                }
                namespace.set(member.name(), value);
            }
            case Statement.Unpacked several -> {
                List<@Nullable Object> items = Values.items(value, budget);
                if (items.size() != several.targets().size()) {
                    throw new TemplateException(items.size() + " values cannot be given to "
                            + several.targets().size() + " names");
                }
                for (int i = 0; i < items.size(); i++) {
                    assign(several.targets().get(i), items.get(i), scope);
                }
            }
        }
    }

    private String captured(List<Placed> body, Scope scope) {
        StringBuilder around = output;
        int from = line;
        output = new StringBuilder();
        run(body, scope);
        String text = output.toString();
        output = around;
        line = from;
        return text;
    }

    private @Nullable Object filtered(String text, List<Filtered> filters, Scope scope) {
        Object value = text;
        for (Filtered filter : filters) {
            value = evaluator.filtered(filter, value, scope);
        }
        return value;
    }

    private String call(Statement.Macro macro, Given given, Scope around) {
        if (given.positional().size() > macro.parameters().size()) {
            throw new TemplateException("the macro '" + macro.name() + "' takes "
                    + macro.parameters().size() + " arguments, not "
                    + given.positional().size());
        }
        List<String> names = macro.parameters().stream().map(Parameter::name).toList();
        given.named().keySet().stream()
                .filter(name -> !names.contains(name))
                .findFirst()
                .ifPresent(name -> {
                    throw new TemplateException("the macro '" + macro.name() + "' takes no argument '" + name + "'");
                });
        Scope inside = new Scope(around);
        for (int i = 0; i < names.size(); i++) {
            Expression otherwise = macro.parameters().get(i).otherwise();
            boolean isGiven = i < given.positional().size() || given.named().containsKey(names.get(i));
            inside.set(
                    names.get(i),
                    isGiven || otherwise == null ? given.at(i, names.get(i)) : evaluator.value(otherwise, inside));
        }
        return captured(macro.body(), inside);
    }
}
