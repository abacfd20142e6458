package dev.sluice.domain.reward;

import dev.sluice.domain.reward.math.AnswerGrader;
import dev.sluice.domain.reward.math.Boxed;
import java.util.Optional;

/**
 * 1 where the last {@code \boxed{}} of the whole response says the same as the label, otherwise 0.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/rollout/rm_hub/math_utils.py">slime's grade_answer_verl</a>
 */
public record MathAnswer() implements Reward {
    @Override
    public String name() {
        return "math";
    }

    @Override
    public RewardValue score(Response response) {
        return Labelled.score(response, label -> RewardValue.of(isRight(response.text(), label)));
    }

    private static boolean isRight(String response, String label) {
        Optional<String> truth = Boxed.isIn(label) ? Boxed.last(label) : Optional.of(label);
        Optional<String> given = Boxed.last(response);
        return !label.isEmpty()
                && truth.isPresent()
                && given.isPresent()
                && AnswerGrader.equal(given.get(), truth.get());
    }
}
