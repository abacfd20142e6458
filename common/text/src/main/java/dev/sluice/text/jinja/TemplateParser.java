package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Expression.Constant;
import dev.sluice.text.jinja.Expression.Filtered;
import dev.sluice.text.jinja.Statement.Branch;
import dev.sluice.text.jinja.Statement.Member;
import dev.sluice.text.jinja.Statement.Parameter;
import dev.sluice.text.jinja.Statement.Placed;
import dev.sluice.text.jinja.Statement.Target;
import dev.sluice.text.jinja.Statement.Unpacked;
import dev.sluice.text.jinja.Statement.Variable;
import dev.sluice.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads the statements of a template; those that reach other files are refused. */
final class TemplateParser {
    private static final Constant OUTSIDE = new Constant(null);

    private final TokenStream tokens;
    private final ExpressionParser expressions;
    private int loops;

    private TemplateParser(TokenStream tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    static List<Placed> parse(String template) {
        return new TemplateParser(new TokenStream(Lexer.tokens(template))).body(Set.of());
    }

    /** Statements up to a tag of one of these names, which stands next then; up to the end where there are none. */
    private List<Placed> body(Set<String> ends) {
        List<Placed> body = new ArrayList<>();
        while (!tokens.sees(Kind.END)) {
            Token token = tokens.next();
            switch (token.kind()) {
                case TEXT -> body.add(new Placed(token.line(), new Statement.Text(token.text())));
                case OUTPUT_BEGIN -> {
                    body.add(new Placed(token.line(), new Statement.Output(expressions.tuple())));
                    tokens.expect(Kind.OUTPUT_END, "'}}'");
                }
                default -> {
                    if (tokens.sees(Kind.NAME) && ends.contains(tokens.peek().text())) {
                        return body;
                    }
                    body.add(new Placed(token.line(), tokens.nested(this::statement)));
                    endOfTag();
                }
            }
        }
        if (!ends.isEmpty()) {
            throw tokens.unexpected("{% " + String.join(" %} or {% ", ends) + " %}");
        }
        return body;
    }

    private List<Placed> bodyUpTo(String... ends) {
        endOfTag();
        return body(Set.of(ends));
    }

    private void endOfTag() {
        tokens.expect(Kind.TAG_END, "'%}'");
    }

    private Statement statement() {
        Token tag = tokens.expect(Kind.NAME, "the name of a tag");
        return switch (tag.text()) {
            case "if" -> ifStatement();
            case "for" -> forStatement();
            case "set" -> set();
            case "macro" -> macro();
            case "filter" -> filterText();
            case "generation" -> {
                List<Placed> body = bodyUpTo("endgeneration");
                tokens.next();
                yield new Statement.Generation(body);
            }
            case "break", "continue" -> jump(tag);
            default ->
                throw new TemplateException("the tag '" + tag.text() + "' is not known here; known are if, for, set,"
                                + " macro, filter, generation, break, continue and raw")
                        .at(tag.line());
        };
    }

    private Statement jump(Token tag) {
        if (loops == 0) {
            throw new TemplateException("'" + tag.text() + "' stands outside of every loop").at(tag.line());
        }
        return tag.text().equals("break") ? new Statement.Break() : new Statement.Continue();
    }

    private Statement ifStatement() {
        List<Branch> branches = new ArrayList<>();
        List<Placed> otherwise = List.of();
        String tag = "if";
        while (!tag.equals("endif")) {
            if (tag.equals("else")) {
                otherwise = bodyUpTo("endif");
            } else {
                Expression condition = expressions.tuple();
                branches.add(new Branch(condition, bodyUpTo("elif", "else", "endif")));
            }
            tag = tokens.next().text();
        }
        return new Statement.If(branches, otherwise);
    }

    private Statement forStatement() {
        Target target = targets();
        if (!tokens.skipName("in")) {
            throw tokens.unexpected("'in'");
        }
        Expression items = expressions.withoutChoice();
        Expression condition = tokens.skipName("if") ? expressions.expression() : null;
        if (tokens.seesName("recursive")) {
            throw new TemplateException("recursive loops are not supported")
                    .at(tokens.peek().line());
        }
        loops++;
        List<Placed> body = bodyUpTo("else", "endfor");
        loops--;
        List<Placed> otherwise = tokens.next().text().equals("else") ? bodyUpTo("endfor") : List.of();
        tokens.skipName("endfor");
        return new Statement.For(target, items, condition, body, otherwise);
    }

    private Target targets() {
        Target first = target();
        if (!tokens.sees(",")) {
            return first;
        }
        List<Target> targets = new ArrayList<>(List.of(first));
        while (tokens.skip(",")) {
            targets.add(target());
        }
        return new Unpacked(targets);
    }

    private Target target() {
        if (tokens.skip("(")) {
            Target inside = tokens.nested(this::targets);
            tokens.expect(")");
            return inside;
        }
        return new Variable(tokens.expect(Kind.NAME, "a name").text());
    }

    private Statement set() {
        Target target = tokens.peekSecond().is(Kind.OPERATOR, ".") ? member() : targets();
        if (tokens.skip("=")) {
            return new Statement.Set(target, expressions.tuple());
        }
        List<Filtered> filters = filters();
        List<Placed> body = bodyUpTo("endset");
        tokens.next();
        return new Statement.SetText(target, filters, body);
    }

    private Target member() {
        String namespace = tokens.expect(Kind.NAME, "a name").text();
        tokens.expect(".");
        return new Member(namespace, tokens.expect(Kind.NAME, "a name").text());
    }

    private List<Filtered> filters() {
        List<Filtered> filters = new ArrayList<>();
        while (tokens.skip("|")) {
            filters.add(expressions.operands().filter(OUTSIDE));
        }
        return filters;
    }

    private Statement filterText() {
        List<Filtered> filters = new ArrayList<>(List.of(expressions.operands().filter(OUTSIDE)));
        filters.addAll(filters());
        List<Placed> body = bodyUpTo("endfilter");
        tokens.next();
        return new Statement.FilterText(filters, body);
    }

    private Statement macro() {
        String name = tokens.expect(Kind.NAME, "the name of a macro").text();
        List<Parameter> parameters = new ArrayList<>();
        tokens.expect("(");
        while (!tokens.skip(")")) {
            String parameter =
                    tokens.expect(Kind.NAME, "the name of a parameter").text();
            parameters.add(new Parameter(parameter, tokens.skip("=") ? expressions.expression() : null));
            if (!tokens.sees(")")) {
                tokens.expect(",");
            }
        }
        int around = loops;
        loops = 0;
        List<Placed> body = bodyUpTo("endmacro");
        loops = around;
        tokens.next();
        return new Statement.Macro(name, parameters, body);
    }
}
