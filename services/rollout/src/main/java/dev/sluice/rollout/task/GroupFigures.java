package dev.sluice.rollout.task;

import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.SamplesParked;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Figures of all groups of this instance for Prometheus. */
public final class GroupFigures {
    private static final Logger LOG = LoggerFactory.getLogger(GroupFigures.class);

    private final MeterRegistry registry;
    private final AtomicInteger inFlight;
    private final AtomicInteger queued;
    private final Counter tokens;
    private final Counter tokensAborted;
    private final Counter abandoned;
    private final Counter groupsParked;
    private final Counter refused;
    private final Counter unscored;
    private final Timer groupTime;
    private final Timer taskWait;

    public GroupFigures(MeterRegistry registry) {
        this.registry = registry;
        this.inFlight = registry.gauge("sluice_rollout_groups_in_flight", new AtomicInteger());
        this.queued = registry.gauge("sluice_rollout_groups_queued", new AtomicInteger());
        this.tokens = registry.counter("sluice_rollout_tokens");
        this.tokensAborted = registry.counter("sluice_rollout_tokens_aborted");
        this.abandoned = registry.counter("sluice_rollout_groups_abandoned");
        this.groupsParked = registry.counter("sluice_rollout_groups_parked");
        this.refused = registry.counter("sluice_rollout_samples_refused");
        this.unscored = registry.counter("sluice_rollout_samples_unscored");
        this.groupTime = registry.timer("sluice_rollout_group");
        this.taskWait = registry.timer("sluice_rollout_task_wait");
    }

    void waiting(int groups, int withoutEngine) {
        inFlight.set(groups);
        queued.set(withoutEngine);
    }

    /**
     * An engine took samples of a task. Its clock and the trainer's may differ from ours.
     *
     * @param received when, by the engine's clock; null where it does not say
     */
    void taken(GroupWork work, GroupBatch batch, @Nullable Instant received) {
        TaskArrival arrival = work.arrival();
        if (received == null || !batch.first) {
            return;
        }
        Duration wait = Duration.between(arrival.published(), received);
        taskWait.record(wait.isNegative() ? Duration.ZERO : wait);
        LOG.debug(
                "an engine took a task groupId={} engineId={} published={} polled={} dispatched={} received={}",
                work.task().groupId(),
                batch.engine.id(),
                arrival.published(),
                arrival.polled(),
                batch.dispatched,
                received);
    }

    void refused() {
        refused.increment();
    }

    /** @param answered whether an environment answered the turn as it should */
    void turn(boolean answered) {
        registry.counter("sluice_rollout_turns", "answered", Boolean.toString(answered))
                .increment();
    }

    /** @param answered whether a function of one's own did as it should */
    void hook(String hook, boolean answered) {
        registry.counter("sluice_rollout_hooks", "hook", hook, "answered", Boolean.toString(answered))
                .increment();
    }

    void answered(GroupSampled result) {
        for (Sample sample : result.samples()) {
            tokens.increment(sample.tokens().length());
            unscored.increment(sample.unscored() == null ? 0 : 1);
            registry.counter(
                            "sluice_rollout_samples",
                            "finish",
                            sample.finishReason().name().toLowerCase(Locale.ROOT))
                    .increment();
        }
        tokensAborted.increment(result.tokensAborted());
        groupTime.record(Duration.ofMillis((long) (result.seconds() * 1000)));
    }

    void parked(SamplesParked parked) {
        groupsParked.increment();
        tokensAborted.increment(parked.tokensAborted());
    }

    void answered(GroupAbandoned result) {
        abandoned.increment();
        tokensAborted.increment(result.tokensAborted());
    }
}
