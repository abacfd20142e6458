package dev.sluice.rollout.reward;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.reward.RewardValue;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads what a remote reward answers: a number, true or false, or a dictionary of them; for a group a list. */
final class ReplyReader {
    private static final int MAX_ENTRIES = 64;
    private static final int MAX_SHOWN = 80;

    private ReplyReader() {}

    static RewardValue one(JsonNode reply) {
        if (isNumber(reply)) {
            return RewardValue.of(number(reply));
        }
        if (!reply.isObject()) {
            return new RewardValue.Unscored(
                    "the reward is neither a number nor a dictionary of numbers: " + shortened(reply));
        }
        if (reply.size() > MAX_ENTRIES) {
            return new RewardValue.Unscored(
                    "the reward has %d entries, more than %d".formatted(reply.size(), MAX_ENTRIES));
        }
        Map<String, Double> entries = new TreeMap<>();
        // Texts beside the numbers, such as dapo's pred, are for people.
        reply.properties().stream()
                .filter(entry -> isNumber(entry.getValue()))
                .forEach(entry -> entries.put(entry.getKey(), number(entry.getValue())));
        return new RewardValue.Dictionary(entries);
    }

    /** As many values as responses were sent, or for each the reason why there is none. */
    static List<RewardValue> all(JsonNode reply, int responses) {
        if (!reply.isArray() || reply.size() != responses) {
            String came = reply.isArray() ? reply.size() + " rewards" : shortened(reply);
            return Collections.nCopies(
                    responses,
                    new RewardValue.Unscored("%d responses were sent and %s came".formatted(responses, came)));
        }
        List<RewardValue> values = new ArrayList<>();
        reply.forEach(value -> values.add(one(value)));
        return values;
    }

    private static boolean isNumber(JsonNode node) {
        return node.isNumber() || node.isBoolean();
    }

    private static double number(JsonNode node) {
        return node.isBoolean() ? node.booleanValue() ? 1 : 0 : node.doubleValue();
    }

    private static String shortened(JsonNode node) {
        String text = node.toString();
        return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...";
    }
}
