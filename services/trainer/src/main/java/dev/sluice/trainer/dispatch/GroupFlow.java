package dev.sluice.trainer.dispatch;

import dev.sluice.domain.training.LogEntry;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupTask.GroupWithdrawn;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.prompts.TrainingPrompts;
import dev.sluice.trainer.run.TrainedRun;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps groups in flight while the training thread trains: results come in on a reader's thread, requests go out on a thread
 * of its own, and one lock guards the state that all three share.
 */
public final class GroupFlow implements AutoCloseable {
    /** How late a silent instance is noticed at most, beyond its bound. */
    private static final Duration TICK = Duration.ofMillis(250);

    private static final Duration CLOSE_DEADLINE = Duration.ofSeconds(2);
    private static final Logger LOG = LoggerFactory.getLogger(GroupFlow.class);

    private final TrainedRun run;
    private final RolloutPool pool;
    private final TaskSender tasks;
    private final Clock clock;
    private final Leases leases;
    private final TrainingState state;
    private final Dispatch dispatch;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Condition due = lock.newCondition();
    private final Map<Work.Key, GroupEvent> otherResults = new HashMap<>();
    private final AbandonedInARow abandonedInARow = new AbandonedInARow();
    private final Thread thread;
    private @Nullable WorkSource otherWork;
    private boolean pending;
    private boolean asking;
    private boolean closed;
    private @Nullable Instant stoodSince;

    /** What a flow is made of. */
    public record Parts(
            TrainedRun run, TrainingPrompts prompts, RolloutPool pool, TaskSender tasks, TrainerConfig.Leases bounds) {}

    public GroupFlow(Parts parts, TrainingState state, Clock clock) {
        this.run = parts.run();
        this.pool = parts.pool();
        this.tasks = parts.tasks();
        this.clock = clock;
        this.leases = new Leases(run.runId(), pool, parts.bounds());
        this.state = state;
        this.dispatch = new Dispatch(run, parts.prompts(), leases, state);
        this.thread =
                Thread.ofPlatform().name("dispatch-" + run.runId()).daemon().unstarted(this::sendWhatIsDue);
    }

    /** Begins to ask for groups; before that, results are only taken in. */
    public void open() {
        lock.lock();
        try {
            asking = true;
        } finally {
            lock.unlock();
        }
        pool.listen(this, this::wake);
        thread.start();
    }

    /** Takes a record of the log of results. */
    public void accept(LogEntry<Event> entry) {
        List<GroupWithdrawn> withdrawals = List.of();
        lock.lock();
        try {
            state.apply(entry);
            if (entry.event() instanceof GroupEvent event && event.runId().equals(run.runId())) {
                abandonedInARow.take(event, clock.instant());
                withdrawals = switch (event) {
                    case GroupEvent.GroupStarted started -> {
                        leases.begun(started);
                        yield List.of();
                    }
                    case GroupEvent.SamplesParked parked -> {
                        if (!isFinished(parked)) {
                            leases.parked(parked);
                        }
                        yield List.of();
                    }
                    case GroupEvent.GroupSampled sampled -> finished(sampled, sampled.evaluation());
                    case GroupEvent.GroupAbandoned abandoned -> finished(abandoned, abandoned.cursor() < 0);
                    case GroupEvent.GroupScored scored -> List.of();
                };
                pending = true;
                due.signalAll();
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        withdrawals.forEach(tasks::send);
    }

    private boolean isFinished(GroupEvent.SamplesParked parked) {
        return parked.cursor() < 0
                ? otherResults.containsKey(new Work.Key(parked.groupId(), parked.round()))
                : state.isFinished(parked.cursor(), parked.round());
    }

    private List<GroupWithdrawn> finished(GroupEvent event, boolean other) {
        Work.Key key = new Work.Key(event.groupId(), event.round());
        if (other) {
            otherResults.putIfAbsent(key, event);
        }
        return leases.end(key, clock.instant()).stream()
                .filter(lease -> !lease.instanceId().equals(event.instanceId()))
                .map(lease -> withdrawn(lease, "another instance was first"))
                .toList();
    }

    /** Takes what the training thread has appended to the run's log. */
    public void applied(LogEntry<Event> entry) {
        lock.lock();
        try {
            state.apply(entry);
            pending = true;
            due.signalAll();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Looks at the state; the function must neither wait nor keep it. */
    public <T> T look(Function<TrainingState, T> question) {
        lock.lock();
        try {
            return question.apply(state);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until a condition holds.
     *
     * @param condition is asked with the lock held
     * @return whether it holds; false after the timeout
     */
    public boolean await(BooleanSupplier condition, Duration timeout) throws InterruptedException {
        long left = timeout.toNanos();
        lock.lockInterruptibly();
        try {
            while (!condition.getAsBoolean()) {
                if (left <= 0) {
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** The state, for conditions that are asked with the lock held. */
    public TrainingState state() {
        if (!lock.isHeldByCurrentThread()) {
            throw new IllegalStateException("the state is read without its lock");
        }
        return state;
    }

    /** Whether a group of the prompt sequence is being sampled by an older version; to be asked with the lock held. */
    public boolean isSampledBefore(int version) {
        return state().running().stream()
                .map(ask -> new Work.Key(run.rules().groupId(ask.cursor()), ask.round()))
                .anyMatch(key -> leases.of(key)
                        .filter(lease -> lease.version() < version)
                        .isPresent());
    }

    /** First results of groups outside the prompt sequence, for conditions that are asked with the lock held. */
    public Map<Work.Key, GroupEvent> otherResults() {
        if (!lock.isHeldByCurrentThread()) {
            throw new IllegalStateException("results are read without their lock");
        }
        return otherResults;
    }

    /** Has other work done before training's. */
    public void beginOtherWork(WorkSource work) {
        lock.lock();
        try {
            otherWork = work;
            if (work.needsItsVersion()) {
                leases.hold(work.version(), work.version() == state.version(), clock.instant());
            }
        } finally {
            lock.unlock();
        }
        wake();
    }

    /** Ends other work; instances that have some of it still are told why it is over. */
    public void endOtherWork(String why) {
        List<GroupWithdrawn> withdrawals;
        lock.lock();
        try {
            otherWork = null;
            // Their samples would stay for the rest of the run.
            otherResults.clear();
            leases.release();
            withdrawals = leases.endExact().stream()
                    .map(lease -> withdrawn(lease, why))
                    .toList();
        } finally {
            lock.unlock();
        }
        withdrawals.forEach(tasks::send);
        wake();
    }

    /**
     * Whether instances keep the version of the other work and have begun it, while other engines can go on to newer ones; to be
     * asked with the lock held.
     */
    public boolean isOtherWorkHeld() {
        return otherWork != null && leases.isHeld(clock.instant());
    }

    /** Whether no engine has the version of the other work any more; to be asked with the lock held. */
    public boolean isOtherWorkLost() {
        return otherWork != null && otherWork.version() != state().version() && leases.isHeldByNone();
    }

    /** Sends nothing for a while: engines do something else, and would not begin it. */
    public void standStill() {
        lock.lock();
        try {
            stoodSince = stoodSince == null ? clock.instant() : stoodSince;
        } finally {
            lock.unlock();
        }
    }

    /** Engines take work again. */
    public void goOn() {
        lock.lock();
        try {
            if (stoodSince != null) {
                leases.stoodStill(Duration.between(stoodSince, clock.instant()));
                stoodSince = null;
            }
        } finally {
            lock.unlock();
        }
        wake();
    }

    /** Asks for no more groups; those in flight may still finish. */
    public void stopAsking() {
        lock.lock();
        try {
            asking = false;
        } finally {
            lock.unlock();
        }
    }

    /** Gives up what is in flight. */
    public void withdrawAll(String why) {
        List<GroupWithdrawn> withdrawals;
        lock.lock();
        try {
            withdrawals = leases.endAllBut(Set.of()).stream()
                    .map(lease -> withdrawn(lease, why))
                    .toList();
        } finally {
            lock.unlock();
        }
        withdrawals.forEach(tasks::send);
    }

    /** Groups that some instance has. */
    public int inFlight() {
        return look(state -> leases.all().size());
    }

    /** What is being waited for, for people. */
    public String situation() {
        return look(state -> {
            int engines = pool.members(run.runId(), clock.instant(), Duration.ofSeconds(6)).stream()
                    .mapToInt(RolloutPool.Member::engines)
                    .sum();
            return "%s, %d with instances, %d engines, weight version %d%s"
                    .formatted(
                            state.situation(),
                            leases.all().size(),
                            engines,
                            state.version(),
                            abandonedInARow.situation());
        });
    }

    /** Lets waits and the dispatch look again. */
    public void wake() {
        lock.lock();
        try {
            pending = true;
            due.signalAll();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void sendWhatIsDue() {
        while (true) {
            List<Dispatch.Sending> sendings;
            lock.lock();
            try {
                if (!pending && !closed) {
                    due.await(TICK.toNanos(), TimeUnit.NANOSECONDS);
                }
                if (closed) {
                    return;
                }
                pending = false;
                Instant now = clock.instant();
                sendings = stoodSince == null
                        ? dispatch.decide(now, asking && !abandonedInARow.holdsBack(now), otherWork, otherResults)
                        : List.of();
            } catch (InterruptedException e) {
                return;
            } finally {
                lock.unlock();
            }
            sendings.forEach(this::send);
        }
    }

    private void send(Dispatch.Sending sending) {
        tasks.send(sending.task()).whenComplete((sent, failure) -> {
            if (failure != null) {
                LOG.warn(
                        "a task was not sent groupId={} error={}",
                        sending.task().groupId(),
                        failure.toString());
                lock.lock();
                try {
                    leases.unsent(sending.lease());
                    // They may be what made it too large.
                    leases.forgetParked(sending.lease().work());
                } finally {
                    lock.unlock();
                }
            }
        });
    }

    private GroupWithdrawn withdrawn(Lease lease, String why) {
        return new GroupWithdrawn(
                run.runId(), run.epoch(), lease.work().groupId(), lease.work().round(), lease.instanceId(), why);
    }

    /** Ends the dispatch; nothing is sent after it returns. */
    @Override
    public void close() {
        pool.forget(this);
        lock.lock();
        try {
            closed = true;
            due.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            thread.join(CLOSE_DEADLINE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
