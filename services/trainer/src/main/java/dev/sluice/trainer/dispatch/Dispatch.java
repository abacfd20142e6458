package dev.sluice.trainer.dispatch;

import dev.sluice.domain.training.GroupAsk;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupTask;
import dev.sluice.trainer.prompts.TrainingPrompts;
import dev.sluice.trainer.run.TrainedRun;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides which tasks go out now, and to whom. Used with the flow's lock held; nothing here waits or sends. */
final class Dispatch {
    private static final Logger LOG = LoggerFactory.getLogger(Dispatch.class);

    private final TrainedRun run;
    private final TrainingPrompts prompts;
    private final Leases leases;
    private final TrainingState state;

    Dispatch(TrainedRun run, TrainingPrompts prompts, Leases leases, TrainingState state) {
        this.run = run;
        this.prompts = prompts;
        this.leases = leases;
        this.state = state;
    }

    /** A task and the lease that it makes. */
    record Sending(Lease lease, GroupTask task) {}

    /** @param asking whether groups of the prompt sequence are wanted */
    List<Sending> decide(
            Instant now, boolean asking, @Nullable WorkSource other, Map<Work.Key, GroupEvent> otherResults) {
        for (Leases.Lost lost : leases.endLost(now)) {
            LOG.warn(
                    "an instance lost a group runId={} groupId={} attempt={} instanceId={} reason={}",
                    run.runId(),
                    lost.lease().work().groupId(),
                    lost.lease().attempt(),
                    lost.lease().instanceId(),
                    lost.why());
        }
        List<Work> wanted = new ArrayList<>();
        if (other != null) {
            if (other.needsItsVersion()) {
                leases.hold(other.version(), other.version() == state.version(), now);
            }
            wanted.addAll(other.wanted(otherResults));
        }
        if (asking) {
            askForGroups(now);
            state.running().forEach(ask -> wanted.add(work(ask)));
        }
        List<Sending> sendings = new ArrayList<>();
        for (Work work : wanted) {
            if (!leases.has(work.key())) {
                leases.grant(work, now).map(lease -> sending(work, lease)).ifPresent(sendings::add);
            }
        }
        if (asking) {
            for (GroupAsk ask : state.running()) {
                Work work = work(ask);
                leases.overtake(work, now).map(lease -> sending(work, lease)).ifPresent(sendings::add);
            }
        }
        return sendings;
    }

    private Sending sending(Work work, Lease lease) {
        return new Sending(
                lease,
                work.task()
                        .request(lease.attempt(), lease.instanceId(), lease.deadline())
                        .withParked(leases.parked(work.key())));
    }

    private void askForGroups(Instant now) {
        int slots = leases.slots(run.rules().samplesPerPrompt(), now);
        Optional<GroupAsk> ask = state.decideAsk(slots);
        while (ask.isPresent()) {
            state.apply(ask.get());
            ask = state.decideAsk(slots);
        }
    }

    private Work work(GroupAsk ask) {
        return new Work(
                run.rules().groupId(ask.cursor()),
                ask.round(),
                run.rules().samplesPerPrompt(),
                ask.minimumVersion(),
                false,
                run.request().rollout().groupDeadlineSeconds(),
                (attempt, instanceId, deadline) -> prompts.task(ask, attempt, instanceId, deadline));
    }
}
