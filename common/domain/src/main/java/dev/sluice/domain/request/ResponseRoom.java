package dev.sluice.domain.request;

import dev.sluice.domain.model.ModelSpec;

/** How long responses may be where nobody says so. */
public final class ResponseRoom {
    /** As {@code rollout.maxResponseTokens} where a request leaves it out. */
    public static final int USUAL_TOKENS = 1024;

    private ResponseRoom() {}

    /**
     * The usual length, or what the model's context leaves beside the longest prompt: a prompt has at most a token a byte, and
     * usually far fewer, so that responses get half of the context at least.
     */
    public static int tokens(Facts facts) {
        ModelSpec model = facts.model().spec();
        if (model == null) {
            return USUAL_TOKENS;
        }
        long prompt = facts.promptFiles().values().stream()
                .mapToLong(file -> file.summary().longestPromptBytes())
                .max()
                .orElse(0);
        int context = model.maxContextTokens();
        return (int) Math.clamp(Math.max(context - prompt, context / 2), 1, USUAL_TOKENS);
    }
}
