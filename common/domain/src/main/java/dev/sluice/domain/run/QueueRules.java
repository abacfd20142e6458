package dev.sluice.domain.run;

import dev.sluice.events.Plan;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * How runs share a deployment.
 *
 * @param ageing a run gains one priority for each such span since it was accepted, so that none waits for ever behind later
 *     ones
 * @param quotas by owner; {@value #EVERYBODY} counts for each owner without one of its own
 */
public record QueueRules(Duration ageing, Map<String, Quota> quotas) {
    public static final String EVERYBODY = "default";

    /** An hour of ageing, and no quota. */
    public static final QueueRules USUAL = new QueueRules(Duration.ofHours(1), Map.of());

    public QueueRules {
        quotas = Map.copyOf(quotas);
        if (!ageing.isPositive()) {
            throw new IllegalArgumentException("ageing is %s; it must be positive".formatted(ageing));
        }
    }

    /**
     * What the runs of one owner may hold at once; absent: as much as there is.
     *
     * @param runs assigned runs
     * @param engines planned engines of these
     * @param gpus planned GPUs of these
     */
    public record Quota(OptionalInt runs, OptionalInt engines, OptionalInt gpus) {}

    /** The quota that counts for an owner; nobody's runs have none. */
    Optional<Quota> quotaOf(@Nullable String owner) {
        return owner == null
                ? Optional.empty()
                : Optional.ofNullable(quotas.getOrDefault(owner, quotas.get(EVERYBODY)));
    }

    /** GPUs that a plan takes; 0 on cpu. Colocated, training and rollout share them. */
    static int gpus(Plan plan) {
        int rollout = plan.rollout().engines() * plan.rollout().gpusPerEngine();
        int training = plan.training().gpus();
        return plan.colocated() ? Math.max(rollout, training) : rollout + training;
    }
}
