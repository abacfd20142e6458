package dev.sluice.domain.reward;

import dev.sluice.domain.reward.math.MinervaForm;
import java.math.BigDecimal;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether the last {@code Answer: ...} of the response's end is the label, a whole number: {@code score} 1 or -1 and {@code acc} 1 or 0.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/rollout/rm_hub/math_dapo_utils.py">slime's math_dapo_utils</a>
 */
public record Dapo() implements Reward {
    private static final int READ_LETTERS = 300;
    private static final int MAX_LABEL_LETTERS = 100;
    private static final Pattern ANSWER = Pattern.compile("(?iU)Answer\\s*:\\s*([^\\n]+)");
    private static final String NONE = "[INVALID]";

    @Override
    public String name() {
        return "dapo";
    }

    @Override
    public RewardValue score(Response response) {
        return Labelled.score(
                response,
                label -> whole(label)
                        .<RewardValue>map(truth -> {
                            boolean right = answer(response.text()).equals(truth);
                            return new RewardValue.Dictionary(
                                    Map.of(RewardValue.SCORE, right ? 1.0 : -1.0, "acc", right ? 1.0 : 0.0));
                        })
                        .orElseGet(() -> new RewardValue.Unscored(
                                "the label is no number, and dapo compares whole numbers; use math or deepscaler")));
    }

    private static String answer(String response) {
        int start = Math.max(0, response.length() - READ_LETTERS);
        Matcher answers = ANSWER.matcher(response.substring(start));
        String last = NONE;
        while (answers.find()) {
            last = answers.group(1);
        }
        return MinervaForm.of(last);
    }

    /** The label cut to a whole number, as Python's int(float()) cuts it. */
    private static Optional<String> whole(String label) {
        if (label.length() > MAX_LABEL_LETTERS) {
            return Optional.empty();
        }
        try {
            double value = Double.parseDouble(MinervaForm.of(label));
            return Double.isFinite(value)
                    ? Optional.of(new BigDecimal(value).toBigInteger().toString())
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }
}
