package dev.sluice.domain.request;

import java.util.Set;

/**
 * Names that requests may use because slime's users do, though not all is computed yet.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/utils/arguments.py">slime's arguments, rm-type and
 *     advantage-estimator</a>
 */
final class SlimeNames {
    static final Set<String> REWARDS =
            Set.of("deepscaler", "math", "dapo", "f1", "gpqa", "ifbench", "remote_rm", "random");

    static final Set<String> ALGORITHMS = Set.of(
            "grpo", "gspo", "cispo", "reinforce_plus_plus", "reinforce_plus_plus_baseline", "ppo", "rloo", "sft");

    private SlimeNames() {}
}
