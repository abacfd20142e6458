package dev.sluice.rollout.environment;

import dev.sluice.domain.environment.EnvironmentFunction;
import dev.sluice.domain.environment.Turn;
import dev.sluice.domain.environment.TurnAnswer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A tool: a turn that ends with a sum and an equals sign is answered by its value and the mark of the next turn. */
public final class Calculator implements EnvironmentFunction {
    private static final Pattern SUM = Pattern.compile("(\\d{1,9})([+*-])(\\d{1,9})=$");

    @Override
    public String name() {
        return "calculator";
    }

    @Override
    public TurnAnswer answer(Turn turn) {
        Matcher sum = SUM.matcher(turn.said());
        if (!sum.find()) {
            return new TurnAnswer.Done();
        }
        long left = Long.parseLong(sum.group(1));
        long right = Long.parseLong(sum.group(3));
        long value = switch (sum.group(2)) {
            case "+" -> left + right;
            case "-" -> left - right;
            default -> left * right;
        };
        return new TurnAnswer.Says(value + "<user>");
    }
}
