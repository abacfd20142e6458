package dev.sluice.trainer.worker;

import dev.sluice.events.TrainingEvent.Activity;
import dev.sluice.events.TrainingEvent.WorkerTime;
import dev.sluice.process.ChildProcess;
import dev.sluice.workerapi.Operation;
import dev.sluice.workerapi.ShutdownRequest;
import dev.sluice.workerapi.WorkerClient;
import dev.sluice.workerapi.WorkerException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A living training worker that belongs to this trainer, and is told so every few seconds. */
public final class Worker implements AutoCloseable {
    private static final Duration HEALTH_DEADLINE = Duration.ofSeconds(5);
    private static final Logger LOG = LoggerFactory.getLogger(Worker.class);

    private final ChildProcess process;
    private final WorkerClient client;
    private final int epoch;
    private final WorkerTimes times = new WorkerTimes();
    private final ScheduledExecutorService keepAlive;
    private volatile @Nullable Operation running;

    Worker(ChildProcess process, WorkerClient client, int epoch, Duration keepAliveEvery) {
        this.process = process;
        this.client = client.observedBy(new Progress());
        this.epoch = epoch;
        this.keepAlive = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("worker-keep-alive").factory());
        keepAlive.scheduleWithFixedDelay(
                this::call, keepAliveEvery.toMillis(), keepAliveEvery.toMillis(), TimeUnit.MILLISECONDS);
    }

    private final class Progress implements WorkerClient.Observer {
        @Override
        public void ended(String path, Instant began) {
            running = null;
            times.ended(path, began);
        }

        @Override
        public void runs(Operation operation) {
            running = operation;
        }
    }

    private void call() {
        try {
            client.health(HEALTH_DEADLINE);
        } catch (WorkerException e) {
            LOG.debug("the worker did not answer pid={} error={}", process.pid(), e.getMessage());
        }
    }

    public WorkerClient client() {
        return client;
    }

    /** It answers for the first time since it was started. */
    void answers(Instant started) {
        times.ended(Activity.LOADING, started);
    }

    /** What it did since this was asked last. */
    public List<WorkerTime> takeTimes() {
        return times.take();
    }

    /** What it does, for a person who waits for it: of a worker with several ranks also which of them is late. */
    public String situation() {
        Operation now = running;
        return now == null || now.ranks() == null
                ? "the worker has been asked and works"
                : "the worker works, " + now.situation();
    }

    /** What a person needs to know of a worker that failed: that it lives, or how it ended. */
    public String condition() {
        return process.isAlive()
                ? "the worker process " + process.pid() + " lives"
                : process.exited().join().describe();
    }

    /** Ends the process: asks it, then makes it. */
    void stop(Duration grace) {
        close();
        try {
            client.shutdown(new ShutdownRequest(epoch, "shutdown-" + UUID.randomUUID()), grace);
        } catch (WorkerException e) {
            LOG.debug("the worker takes no orders pid={} error={}", process.pid(), e.getMessage());
        }
        process.stop(grace);
    }

    /** Leaves the process alone from now on. */
    @Override
    public void close() {
        keepAlive.shutdownNow();
    }
}
