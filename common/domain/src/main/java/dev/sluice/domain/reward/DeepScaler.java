package dev.sluice.domain.reward;

import dev.sluice.domain.reward.math.AnswerGrader;
import dev.sluice.domain.reward.math.Boxed;
import java.util.Optional;

/**
 * 1 where the last {@code \boxed{}} after the thinking says the same as the label, otherwise 0; a response that does not end
 * its thinking gets 0.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/rollout/rm_hub/deepscaler.py">slime's deepscaler</a>
 */
public record DeepScaler() implements Reward {
    private static final String THOUGHT = "</think>";
    private static final String ANSWER = "###Response";

    @Override
    public String name() {
        return "deepscaler";
    }

    @Override
    public RewardValue score(Response response) {
        return Labelled.score(response, label -> RewardValue.of(isRight(response.text(), label)));
    }

    private static boolean isRight(String response, String label) {
        Optional<String> given = solution(response).flatMap(Boxed::last);
        boolean boxed = Boxed.isIn(label) || label.contains("\\fbox");
        Optional<String> truth = boxed ? Boxed.last(label) : Optional.of(label);
        return !label.isEmpty()
                && given.isPresent()
                && truth.isPresent()
                && AnswerGrader.equal(given.get(), truth.get());
    }

    private static Optional<String> solution(String response) {
        int thought = response.lastIndexOf(THOUGHT);
        if (thought >= 0) {
            return Optional.of(response.substring(thought + THOUGHT.length()));
        }
        int answer = response.indexOf(ANSWER);
        if (answer < 0) {
            return Optional.empty();
        }
        int start = answer + ANSWER.length();
        int next = response.indexOf(ANSWER, start);
        return Optional.of(response.substring(start, next < 0 ? response.length() : next));
    }
}
