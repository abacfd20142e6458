package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Function.Given;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Filters of lists; several call other filters and tests by name. */
final class ListFilters {
    private final Budget budget;
    private final Filters filters;
    private final Checks checks;

    ListFilters(Budget budget, Filters filters) {
        this.budget = budget;
        this.filters = filters;
        this.checks = new Checks(budget);
    }

    @Nullable
    Object apply(String name, @Nullable Object value, Given given) {
        return switch (name) {
            case "list" -> new ArrayList<>(items(value));
            case "first" ->
                items(value).isEmpty()
                        ? new Undefined("the list has no first item")
                        : items(value).getFirst();
            case "last" ->
                items(value).isEmpty()
                        ? new Undefined("the list has no last item")
                        : items(value).getLast();
            case "join" -> joined(value, given);
            case "reverse" -> reversed(value);
            case "sort" -> sorted(value, given);
            case "unique" -> unique(value, given);
            case "sum" -> items(value).stream().reduce(given.at(1, "start", 0L), (a, b) -> Numbers.compute("+", a, b));
            case "min" -> extreme(value, given, -1);
            case "max" -> extreme(value, given, 1);
            case "map" -> mapped(value, given);
            case "select" -> picked(value, item -> passes(item, given));
            case "reject" -> picked(value, item -> !passes(item, given));
            case "selectattr" -> picked(value, item -> attributePasses(item, given));
            case "rejectattr" -> picked(value, item -> !attributePasses(item, given));
            default -> throw new TemplateException("there is no filter '" + name + "' here");
        };
    }

    private List<@Nullable Object> items(@Nullable Object value) {
        List<@Nullable Object> items = Values.items(value, budget);
        budget.items(items.size());
        return items;
    }

    /** Jinja2's map, select and reject take what counts as false for an empty list. */
    private List<@Nullable Object> itemsOrNone(@Nullable Object value) {
        return Values.truth(value) ? items(value) : List.of();
    }

    private String joined(@Nullable Object value, Given given) {
        String separator = PythonText.of(given.at(0, "d", ""), budget);
        Object attribute = given.at(1, "attribute", null);
        List<@Nullable Object> texts = new ArrayList<>();
        for (Object item : items(value)) {
            texts.add(PythonText.of(attribute == null ? item : at(item, attribute), budget));
        }
        return StringMethods.join(separator, texts, budget);
    }

    private Object reversed(@Nullable Object value) {
        if (value instanceof String text) {
            budget.charge(text.length());
            return new StringBuilder(text).reverse().toString();
        }
        List<@Nullable Object> items = new ArrayList<>(items(value));
        Collections.reverse(items);
        return items;
    }

    private List<@Nullable Object> sorted(@Nullable Object value, Given given) {
        boolean caseSensitive = given.flag(1, "case_sensitive", false);
        Object attribute = given.at(2, "attribute", null);
        List<@Nullable Object> items = new ArrayList<>(items(value));
        Comparator<@Nullable Object> order = (a, b) -> Values.compare(
                Filters.folded(attribute == null ? a : at(a, attribute), caseSensitive),
                Filters.folded(attribute == null ? b : at(b, attribute), caseSensitive),
                budget);
        items.sort(given.flag(0, "reverse", false) ? order.reversed() : order);
        return items;
    }

    private List<@Nullable Object> unique(@Nullable Object value, Given given) {
        boolean caseSensitive = given.flag(0, "case_sensitive", false);
        List<@Nullable Object> seen = new ArrayList<>();
        return picked(value, item -> {
            Object key = Filters.folded(item, caseSensitive);
            return !Values.contains(seen, key, budget) && seen.add(key);
        });
    }

    private @Nullable Object extreme(@Nullable Object value, Given given, int sign) {
        boolean caseSensitive = given.flag(0, "case_sensitive", false);
        Comparator<@Nullable Object> order = (a, b) ->
                sign * Values.compare(Filters.folded(a, caseSensitive), Filters.folded(b, caseSensitive), budget);
        List<@Nullable Object> items = items(value);
        if (items.isEmpty()) {
            return new Undefined("the list is empty");
        }
        Object best = items.getFirst();
        for (Object item : items) {
            best = order.compare(item, best) > 0 ? item : best;
        }
        return best;
    }

    private List<@Nullable Object> mapped(@Nullable Object value, Given given) {
        List<@Nullable Object> mapped = new ArrayList<>();
        Object attribute = given.named().get("attribute");
        Object otherwise = given.named().get("default");
        String filter = attribute == null ? given.text(0, "filter") : "";
        for (Object item : itemsOrNone(value)) {
            Object result = attribute == null ? filters.apply(filter, item, given.after(1)) : at(item, attribute);
            mapped.add(result instanceof Undefined && otherwise != null ? otherwise : result);
        }
        return mapped;
    }

    private List<@Nullable Object> picked(@Nullable Object value, Predicate<@Nullable Object> wanted) {
        return new ArrayList<>(itemsOrNone(value).stream().filter(wanted).toList());
    }

    private boolean passes(@Nullable Object item, Given given) {
        return given.positional().isEmpty()
                ? Values.truth(item)
                : checks.passes(given.text(0, "test"), item, given.after(1));
    }

    private boolean attributePasses(@Nullable Object item, Given given) {
        return passes(at(item, given.required(0, "attribute")), given.after(1));
    }

    /** {@code a.b.0}: items of items. */
    private @Nullable Object at(@Nullable Object item, @Nullable Object path) {
        if (!(path instanceof String names)) {
            return Methods.item(item, path, budget);
        }
        Object value = item;
        for (Object name : Splitting.split(names, new Given(List.of("."), Map.of()), budget)) {
            String part = (String) name;
            value = Methods.item(value, part.matches("[0-9]{1,9}") ? (Object) Long.valueOf(part) : part, budget);
        }
        return value;
    }
}
