package dev.sluice.events;

import java.util.Locale;

/** What a run does, as its request says. */
public enum RunKind {
    /** Samples responses and trains on them. */
    REINFORCEMENT,
    /** Trains on the answers that its prompt file holds ({@code algorithm.name: sft}): no engines. */
    SUPERVISED,
    /** Samples and scores prompts and trains nothing ({@code training.steps: 0}): no worker. */
    ROLLOUT_ONLY;

    /** The name of slime's loss for supervised fine-tuning, less its ending. */
    public static final String SUPERVISED_ALGORITHM = "sft";

    public static RunKind of(TrainingRequest request) {
        if (request.algorithm().name().equals(SUPERVISED_ALGORITHM)) {
            return SUPERVISED;
        }
        return request.training().steps() == 0 ? ROLLOUT_ONLY : REINFORCEMENT;
    }

    /** Whether engines sample for it. */
    public boolean samples() {
        return this != SUPERVISED;
    }

    /** Whether a worker trains for it. */
    public boolean trains() {
        return this != ROLLOUT_ONLY;
    }

    /** For people: {@code rollout-only}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
