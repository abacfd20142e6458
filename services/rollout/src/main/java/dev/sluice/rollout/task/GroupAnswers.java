package dev.sluice.rollout.task;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.core.Publisher;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings the results of groups into the log; a group counts as answered when the log has its result. */
public final class GroupAnswers {
    private static final Logger LOG = LoggerFactory.getLogger(GroupAnswers.class);
    private static final int PUBLISH_ATTEMPTS = 10;
    private static final Duration PUBLISH_PAUSE = Duration.ofSeconds(1);

    private final Core core;
    private final Publisher publisher;
    private final GroupFigures figures;

    public GroupAnswers(Core core, Publisher publisher, GroupFigures figures) {
        this.core = core;
        this.publisher = publisher;
        this.figures = figures;
    }

    void started(GroupWork work) {
        publisher.publish(work.started(), work.arrival().cause());
    }

    /** A task that is left to others. */
    void giveBack(GroupRequested task, UUID cause, String reason) {
        LOG.info("group is given back runId={} groupId={} reason={}", task.runId(), task.groupId(), reason);
        publisher.publish(TaskEvents.parked(task, reason, task.parked(), 0), cause);
    }

    /** A task that was not taken at all. */
    public void refuse(GroupRequested task, UUID cause, String reason) {
        LOG.warn("group is not taken runId={} groupId={} reason={}", task.runId(), task.groupId(), reason);
        publisher.publish(TaskEvents.abandoned(task, reason, 0), cause);
    }

    void answer(GroupWork work, Runnable acknowledged) {
        String failure = work.failure();
        if (failure != null) {
            abandon(work, failure, acknowledged);
            return;
        }
        work.answer();
        GroupSampled result = work.sampled(core.now());
        figures.answered(result);
        LOG.debug(
                "group is sampled groupId={} round={} seconds={}", result.groupId(), result.round(), result.seconds());
        publish(work, result, acknowledged, 1);
    }

    void abandon(GroupWork work, String reason, Runnable acknowledged) {
        work.answer();
        GroupAbandoned result = work.abandoned(reason);
        figures.answered(result);
        LOG.warn("group is abandoned groupId={} round={} reason={}", result.groupId(), result.round(), reason);
        publish(work, result, acknowledged, 1);
    }

    void park(GroupWork work, String reason, Runnable acknowledged) {
        work.answer();
        SamplesParked parked = work.parked(reason);
        figures.parked(parked);
        LOG.info(
                "group is parked groupId={} round={} samples={} reason={}",
                parked.groupId(),
                parked.round(),
                parked.samples().size(),
                reason);
        publish(work, parked, acknowledged, 1);
    }

    private void publish(GroupWork work, Event result, Runnable acknowledged, int attempt) {
        publisher
                .publish(result, work.arrival().cause())
                .whenComplete((record, failure) -> core.execute(() -> {
                    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
                    if (cause == null) {
                        acknowledged.run();
                    } else if (cause instanceof IllegalArgumentException && result instanceof GroupSampled) {
                        // It does not fit a record, and never will.
                        publish(work, work.abandoned(cause.getMessage()), acknowledged, attempt);
                    } else if (cause instanceof IllegalArgumentException
                            && result instanceof SamplesParked parked
                            && !parked.samples().isEmpty()) {
                        publish(work, work.parkedEmpty(parked.reason()), acknowledged, attempt);
                    } else if (attempt < PUBLISH_ATTEMPTS) {
                        core.after(PUBLISH_PAUSE, () -> publish(work, result, acknowledged, attempt + 1));
                    } else {
                        LOG.error(
                                "a result could not be published groupId={} attempts={}",
                                work.task().groupId(),
                                attempt);
                        acknowledged.run(); // the trainer's lease ends with our heartbeats and it asks somebody else
                    }
                }));
    }
}
