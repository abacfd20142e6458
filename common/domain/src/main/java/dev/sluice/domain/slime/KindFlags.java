package dev.sluice.domain.slime;

import dev.sluice.domain.slime.Finding.Kind;
import dev.sluice.events.RunKind;
import java.util.List;

/** What kind of run a script starts: supervised fine-tuning, or one that only samples. */
record KindFlags(Draft draft) {
    private static final String LOSS = "--loss-type";
    private static final String ROLLOUT_ONLY = "--debug-rollout-only";
    private static final String TRAIN_ONLY = "--debug-train-only";
    private static final String NO_ADVANTAGES = "--disable-compute-advantages-and-returns";
    private static final String SUPERVISED_LOSS = "sft_loss";

    /** slime's rollout that makes samples of the prompt file's own answers. */
    static final String SUPERVISED_FUNCTION = "slime.rollout.sft_rollout.generate_rollout";

    static boolean isSupervised(Draft draft) {
        return draft.text(LOSS).filter(SUPERVISED_LOSS::equals).isPresent();
    }

    void read() {
        if (isSupervised(draft)) {
            draft.put("algorithm.name", RunKind.SUPERVISED_ALGORITHM);
            // slime's sft_rollout renders rows by the tokenizer's template, whatever --apply-chat-template says.
            draft.put("data.applyChatTemplate", true);
            return;
        }
        draft.text(LOSS)
                .filter(loss -> !loss.equals("policy_loss"))
                .ifPresent(
                        loss -> unsupported(LOSS, "the loss is the policy loss or sft_loss", "set it to one of them"));
        for (String flag : List.of(TRAIN_ONLY, NO_ADVANTAGES)) {
            if (draft.has(flag)) {
                unsupported(
                        flag,
                        "only --loss-type sft_loss trains without sampling; recorded samples are not read",
                        "remove it; what a run has sampled is trained on again by sluice replay RUN --from 0, with other"
                                + " settings where --set gives them");
            }
        }
        if (draft.has(ROLLOUT_ONLY)) {
            draft.put("training.steps", 0);
            draft.findings()
                    .note(
                            draft.place(ROLLOUT_ONLY),
                            ROLLOUT_ONLY,
                            "each prompt is sampled once through the file, and not --num-rollout times a batch",
                            "give a file of the prompts to sample");
        }
    }

    private void unsupported(String flag, String why, String mend) {
        draft.findings().error(Kind.UNSUPPORTED, draft.place(flag), flag, why, mend);
    }
}
