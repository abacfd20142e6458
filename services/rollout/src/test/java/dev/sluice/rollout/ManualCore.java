package dev.sluice.rollout;

import dev.sluice.rollout.core.Core;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** A core whose time and whose background work move only when a test says so. */
final class ManualCore implements Core {
    private record Timer(Instant at, long order, Runnable action) {}

    private record Job(String name, Runnable work) {}

    private final Deque<Runnable> actions = new ArrayDeque<>();
    private final PriorityQueue<Timer> timers =
            new PriorityQueue<>(Comparator.comparing(Timer::at).thenComparingLong(Timer::order));
    private final List<Job> jobs = new ArrayList<>();
    private final List<String> held = new ArrayList<>();
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private long order;

    @Override
    public Instant now() {
        return now;
    }

    @Override
    public void execute(Runnable action) {
        actions.add(action);
    }

    @Override
    public void after(Duration delay, Runnable action) {
        timers.add(new Timer(now.plus(delay), order++, action));
    }

    @Override
    public <T> void background(String name, Callable<T> work, BiConsumer<@Nullable T, @Nullable Throwable> then) {
        jobs.add(new Job(name, () -> {
            T result;
            try {
                result = work.call();
            } catch (Exception failure) {
                execute(() -> then.accept(null, failure));
                return;
            }
            execute(() -> then.accept(result, null));
        }));
    }

    /** Background work whose name begins so does not run until it is released. */
    void hold(String prefix) {
        held.add(prefix);
    }

    void release(String prefix) {
        held.remove(prefix);
        settle();
    }

    /** Runs everything that is due and not held. */
    void settle() {
        boolean moved = true;
        while (moved) {
            moved = false;
            while (!actions.isEmpty()) {
                actions.poll().run();
                moved = true;
            }
            for (Iterator<Job> waiting = List.copyOf(jobs).iterator(); waiting.hasNext(); ) {
                Job job = waiting.next();
                if (held.stream().noneMatch(job.name()::startsWith)) {
                    jobs.remove(job);
                    job.work().run();
                    moved = true;
                }
            }
        }
    }

    void advance(Duration time) {
        Instant end = now.plus(time);
        settle();
        while (!timers.isEmpty() && !timers.peek().at().isAfter(end)) {
            Timer next = timers.poll();
            now = next.at();
            next.action().run();
            settle();
        }
        now = end;
    }
}
