package dev.sluice.trainer.handover;

import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.RunMetric;
import dev.sluice.trainer.wait.RunWait;
import dev.sluice.trainer.wait.Waits;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.Held;
import dev.sluice.workerapi.MemoryMoved;
import dev.sluice.workerapi.OffloadRequest;
import dev.sluice.workerapi.OnloadRequest;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes the worker's memory off GPUs that it shares with engines, and back; remembers how much was in use. */
final class WorkerMemory {
    static final Set<Held> ALL = EnumSet.allOf(Held.class);
    private static final Logger LOG = LoggerFactory.getLogger(WorkerMemory.class);

    private final Means means;
    private final Worker worker;
    private final Waits waits;
    private final Duration bound;
    private final Map<RunMetric, Long> used = new EnumMap<>(RunMetric.class);

    WorkerMemory(Means means, Worker worker) {
        this.means = means;
        this.worker = worker;
        this.waits = means.waits().of(worker);
        this.bound = means.config().worker().callDeadline();
    }

    void offload(Set<Held> what) throws InterruptedException {
        OffloadRequest request = new OffloadRequest(means.run().epoch(), id("offload"), what);
        MemoryMoved moved = call("off the GPUs", () -> worker.client().offload(request, bound));
        tell("offloaded", what, moved);
        used.putIfAbsent(RunMetric.MEMORY_BEFORE_OFFLOAD, moved.usedBefore());
        used.put(RunMetric.MEMORY_AFTER_OFFLOAD, moved.usedAfter());
    }

    void onload(Set<Held> what) throws InterruptedException {
        OnloadRequest request = new OnloadRequest(means.run().epoch(), id("onload"), what);
        MemoryMoved moved = call(
                "onto the GPUs",
                () -> whereBatchesAreNoMatter(() -> worker.client().onload(request, bound)));
        tell("onloaded", what, moved);
        used.putIfAbsent(RunMetric.MEMORY_BEFORE_ONLOAD, moved.usedBefore());
        used.put(RunMetric.MEMORY_AFTER_ONLOAD, moved.usedAfter());
    }

    /** Has a lack of memory taken for what it is: smaller micro-batches, which it leads to while training, would give none here. */
    private static <T> T whereBatchesAreNoMatter(Supplier<T> call) {
        try {
            return call.get();
        } catch (WorkerException e) {
            if (e.code() != WorkerErrorCode.OUT_OF_MEMORY) {
                throw e;
            }
            throw new WorkerException(
                    WorkerErrorCode.INTERNAL,
                    "the GPUs have no room beside the engines: " + e.getMessage(),
                    "see what else uses them, or give engines less memory");
        }
    }

    /** What was in use around the moves since this was asked last. */
    List<Event> takeFigures() {
        int step = means.flow().look(TrainingState::completedStep);
        List<Event> points = new ArrayList<>();
        used.forEach((metric, bytes) -> points.add(new MetricPoint(
                means.run().runId(),
                metric.wireName(),
                step,
                0,
                bytes,
                means.clock().instant())));
        used.clear();
        return points;
    }

    private MemoryMoved call(String where, Supplier<MemoryMoved> call) throws InterruptedException {
        return waits.call(RunWait.MEMORY, "the worker's memory on its way " + where, bound, call);
    }

    private void tell(String how, Set<Held> what, MemoryMoved moved) {
        LOG.info(
                "the worker's memory is {} runId={} what={} bytes={} usedBefore={} usedAfter={} seconds={}",
                how,
                means.run().runId(),
                what,
                moved.bytes(),
                moved.usedBefore(),
                moved.usedAfter(),
                "%.2f".formatted(moved.seconds()));
    }

    private String id(String what) {
        // Never an id of before: the worker would answer without moving anything.
        return "%s-e%d-%s".formatted(what, means.run().epoch(), UUID.randomUUID());
    }
}
