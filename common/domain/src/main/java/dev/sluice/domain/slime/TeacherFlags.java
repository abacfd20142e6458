package dev.sluice.domain.slime;

import dev.sluice.domain.reward.NoReward;
import java.util.List;

/**
 * A teacher, and the address that slime reads for a remote reward and for a teacher on a server alike.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/docs/en/advanced/on-policy-distillation.md">On-policy distillation</a>
 */
record TeacherFlags(Draft draft) {
    private static final String TYPE = "--opd-type";
    private static final String LOADED = "--opd-teacher-load";
    private static final String URL = "--rm-url";
    private static final String REWARD = "--custom-rm-path";
    private static final String POST_PROCESS = "--custom-reward-post-process-path";
    private static final String CALL = "/generate";

    /** Asks the server and makes all rewards 0: that is what {@code algorithm.distillation} does by itself. */
    private static final String SLIMES_MODULE = "slime.rollout.on_policy_distillation.";

    void read() {
        boolean served = draft.has("--use-opd") && draft.text(TYPE).orElse("").equals("sglang");
        if (draft.has("--use-opd")) {
            if (served) {
                server();
            } else {
                checkpoint();
            }
            draft.put("algorithm.distillation.coefficient", draft.number("--opd-kl-coef", 1));
        }
        if (!served) {
            draft.text(URL).ifPresent(url -> draft.put("reward.url", url));
            List.of(REWARD, POST_PROCESS).forEach(this::requireOther);
        }
    }

    private void checkpoint() {
        draft.text(LOADED)
                .ifPresentOrElse(
                        path -> draft.put("algorithm.distillation.teacher", path),
                        () -> draft.missing(LOADED, "give --opd-teacher-load"));
    }

    private void server() {
        if (draft.has(LOADED)) {
            error(LOADED, "slime takes it with --opd-type megatron alone", "remove it, or set --opd-type to megatron");
        }
        draft.text(URL)
                .ifPresentOrElse(
                        url -> draft.put(
                                "algorithm.distillation.teacher",
                                url.endsWith(CALL) ? url.substring(0, url.length() - CALL.length()) : url),
                        () -> draft.missing(URL, "give the teacher's address, http://HOST:PORT/generate"));
        if (isSlimes(REWARD)) {
            draft.put("reward.type", NoReward.NAME);
        }
    }

    private void requireOther(String flag) {
        if (isSlimes(flag)) {
            error(flag, "it belongs to --use-opd with --opd-type sglang", "give those, or remove it");
        }
    }

    private boolean isSlimes(String flag) {
        return draft.text(flag).orElse("").startsWith(SLIMES_MODULE);
    }

    private void error(String flag, String why, String mend) {
        draft.findings().error(Finding.Kind.UNSUPPORTED, draft.place(flag), flag, why, mend);
    }
}
