package dev.sluice.domain.slime;

import dev.sluice.domain.training.AdvantageEstimator;
import java.util.List;

/** Models beside the policy: reference, teacher and critic; and the mask of sequences that departed from who sampled them. */
record ModelFlags(Draft draft) {
    private static final String KL_REWARD = "--kl-coef";
    private static final String KL_LOSS = "--kl-loss-coef";
    private static final String USE_KL_LOSS = "--use-kl-loss";
    private static final String KL_TYPE = "--kl-loss-type";
    private static final String OPSM = "--use-opsm";
    private static final String OPSM_DELTA = "--opsm-delta";
    private static final List<String> KL_TYPES = List.of("k1", "k2", "k3", "low_var_kl");

    void read() {
        double loss = loss();
        draft.put("algorithm.klLossCoefficient", loss);
        double reward = reward();
        draft.put("algorithm.klRewardCoefficient", reward);
        String type = draft.text(KL_TYPE).orElse("k1");
        if (loss > 0 || reward > 0) {
            type(type);
        }
        if (draft.has(OPSM)) {
            draft.put("algorithm.opsmDelta", draft.number(OPSM_DELTA, 1e-4));
        } else if (draft.has(OPSM_DELTA)) {
            ineffective(OPSM_DELTA, "it has no effect without --use-opsm, as in slime");
        }
        if (estimator().equals("ppo")) {
            draft.put("algorithm.lambda", draft.number("--lambd", 1));
            draft.put("algorithm.critic.valueClip", draft.number("--value-clip", 0.2));
            draft.put("algorithm.critic.onlySteps", draft.whole("--num-critic-only-steps", 0));
        }
        new TeacherFlags(draft).read();
    }

    private String estimator() {
        return draft.text("--advantage-estimator").orElse("grpo");
    }

    private double loss() {
        double coefficient = draft.number(KL_LOSS, 0);
        if (draft.has(USE_KL_LOSS) && coefficient == 0) {
            ineffective(
                    USE_KL_LOSS, "with a coefficient of 0 no reference is loaded; slime keeps one for a metric alone");
        } else if (!draft.has(USE_KL_LOSS) && coefficient != 0) {
            ineffective(KL_LOSS, "it has no effect without --use-kl-loss, as in slime");
        }
        return draft.has(USE_KL_LOSS) ? coefficient : 0;
    }

    private double reward() {
        double coefficient = draft.number(KL_REWARD, 0);
        String name = estimator();
        boolean reads = AdvantageEstimator.named(name)
                .map(AdvantageEstimator::rewardsTokens)
                .orElse(true);
        if (coefficient != 0 && !reads) {
            ineffective(KL_REWARD, "it has no effect on the advantages of %s, as in slime".formatted(name));
            return 0;
        }
        return coefficient;
    }

    private void type(String type) {
        if (KL_TYPES.contains(type)) {
            draft.put("algorithm.klType", type);
        } else {
            draft.findings()
                    .error(
                            Finding.Kind.VALUE,
                            draft.place(KL_TYPE),
                            KL_TYPE,
                            "%s is none of %s".formatted(FlagReader.shortened(type), String.join(", ", KL_TYPES)),
                            "set it to low_var_kl");
        }
    }

    private void ineffective(String flag, String why) {
        draft.findings().note(draft.place(flag), flag, why, "remove it");
    }
}
