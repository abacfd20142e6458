package dev.sluice.cli.plan;

import dev.sluice.cli.Wrapped;
import dev.sluice.events.Plan.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.DoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Parts of a whole, drawn to scale one after the other.
 *
 * @param parts in the unit of {@code scale}
 * @param scale the amount that the whole width stands for
 * @param limit marked where it is within the scale
 */
record Bar(List<Part> parts, double scale, OptionalDouble limit) {
    /** Neighbours differ; further parts begin anew. */
    private static final String FILLS = "█▓▒░▚═╳+";

    private static final char FREE = '·';
    private static final char LIMIT = '┃';

    /** The same parts, and one more where they are less than the whole. */
    static List<Part> complete(List<Part> parts, double whole) {
        double rest = whole - parts.stream().mapToDouble(Part::amount).sum();
        // Less is rounding of the parts.
        if (rest <= 0.01 * whole) {
            return parts;
        }
        List<Part> complete = new ArrayList<>(parts);
        complete.add(new Part("other", rest));
        return complete;
    }

    /** @return exactly this many characters */
    String line(int columns) {
        StringBuilder line = new StringBuilder();
        double sum = 0;
        for (int i = 0; i < parts.size(); i++) {
            sum += parts.get(i).amount();
            // Ends are rounded, not lengths, so that roundings do not add up.
            line.append(String.valueOf(fill(i)).repeat(Math.max(0, at(sum, columns) - line.length())));
        }
        line.append(String.valueOf(FREE).repeat(columns - line.length()));
        limit.ifPresent(amount -> line.setCharAt(Math.min(columns - 1, at(amount, columns)), LIMIT));
        return line.toString();
    }

    /** What each fill stands for; lines break only between parts. */
    String legend(DoubleFunction<String> amount) {
        return IntStream.range(0, parts.size())
                .mapToObj(i -> fill(i) + " " + parts.get(i).kind() + " "
                        + amount.apply(parts.get(i).amount()))
                .map(item -> item.replace(' ', Wrapped.HARD_SPACE))
                .collect(Collectors.joining(Wrapped.HARD_SPACE + " "));
    }

    private int at(double amount, int columns) {
        return scale <= 0 ? 0 : (int) Math.clamp(Math.round(amount / scale * columns), 0, columns);
    }

    private static char fill(int part) {
        return FILLS.charAt(part % FILLS.length());
    }
}
