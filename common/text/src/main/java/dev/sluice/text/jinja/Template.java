package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Statement.Placed;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A parsed chat template. It renders as Jinja2 3.1 does with the environment that transformers 5 gives it, and refuses with
 * a reason what it does not know. Work, output and nesting are bounded; nothing but values of JSON is reachable from it.
 *
 * @see <a href="https://jinja.palletsprojects.com/en/stable/templates/">Template Designer Documentation</a>
 */
public final class Template {
    /** Published templates have up to 40,000 characters. */
    public static final int MAXIMUM_CHARACTERS = 1 << 20;

    private final List<Placed> statements;

    private Template(List<Placed> statements) {
        this.statements = statements;
    }

    /**
     * Reads a template.
     *
     * @throws TemplateException if it is too long, broken, or uses what is not known here; with the line
     */
    public static Template parse(String source) {
        if (source.length() > MAXIMUM_CHARACTERS) {
            throw new TemplateException("the template has " + source.length() + " characters, more than the "
                    + MAXIMUM_CHARACTERS + " that are read");
        }
        return new Template(TemplateParser.parse(source));
    }

    /**
     * Renders with variables.
     *
     * @param variables by name: null, Boolean, Long, BigInteger, Double, String, and Lists and Maps of these
     * @param clock what {@code strftime_now} reads
     * @throws TemplateException if the template refuses the values, fails on them or takes too much; with the line
     */
    public String render(Map<String, ? extends @Nullable Object> variables, Clock clock) {
        Budget budget = new Budget();
        Scope globals = new Scope(null);
        Globals.define(globals, budget, clock);
        Scope scope = new Scope(globals);
        variables.forEach(scope::set);
        return new Renderer(budget).render(statements, scope);
    }
}
