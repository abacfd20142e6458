package dev.sluice.domain.reward;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * 1 where a multiple-choice response chooses the right letter, or, where no letter can be read, says the right choice's text;
 * otherwise 0. The row's metadata may hold {@code choices}, {@code valid_letters}, {@code correct_letter}, {@code correct_answer} and
 * {@code answer_text}; without choices the letters are A to J.
 *
 * <p>Departs from slime where a label of digits is no choice's text: it is the choice's number from 0, because rows hand on
 * numbers as text.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/rollout/rm_hub/gpqa.py">slime's gpqa</a>
 */
public record Gpqa() implements Reward {
    @Override
    public String name() {
        return "gpqa";
    }

    @Override
    public RewardValue score(Response response) {
        JsonNode metadata = response.metadata();
        if (response.label() == null && !metadata.isObject()) {
            return new RewardValue.Unscored("the prompt has neither a label nor metadata with correct_letter");
        }
        return RewardValue.of(Question.of(response.label(), metadata).isAnsweredBy(response.text()));
    }
}
