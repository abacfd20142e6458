package dev.sluice.cpu.worker;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.checkpoint.Progress;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.http.Json;
import dev.sluice.workerapi.Operation;
import dev.sluice.workerapi.WorkerCall;
import dev.sluice.workerapi.WorkerError;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The calls' work, one after another on the one thread that computes. Remembers what it answered, so that a repeated call
 * starts nothing, and the highest epoch, so that a replaced caller is refused.
 */
final class Operations implements AutoCloseable {
    /** Answers kept; a caller repeats its last few calls at most. */
    private static final int MAX_REMEMBERED = 256;

    /** Calls that may wait for their turn. A trainer sends one at a time. */
    private static final int MAX_WAITING = 8;

    /** How long a stopping worker waits for the operation that is running. */
    private static final Duration LAST_OPERATION = Duration.ofSeconds(60);

    private static final System.Logger LOG = System.getLogger(Operations.class.getName());

    private final Map<String, Running> byId = new LinkedHashMap<>();
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("worker-compute").factory());
    private final ExecutorService writer = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("worker-write").factory());
    private int epoch = -1;
    private int unfinished;

    Operations() {
        // The setting is per thread: without it libtorch would take every core.
        thread.execute(Tensors::useOneThread);
        writer.execute(Tensors::useOneThread);
    }

    /** What a call does; it may leave a {@link Rest}. */
    @FunctionalInterface
    interface Work {
        Object run(Progress progress);
    }

    /** What is left of a call's work when the next call may compute: it runs on the thread that writes. */
    @FunctionalInterface
    interface Rest {
        Object run(Progress progress);
    }

    private static final class Running {
        private final String operationId;
        private final JsonNode content;
        /** It is finished, or others may compute. */
        private final CountDownLatch computed = new CountDownLatch(1);

        private volatile Operation answer;

        private Running(WorkerCall call) {
            this.operationId = call.operationId();
            this.content = content(call);
            this.answer = new Operation(call.operationId(), Operation.State.RUNNING, 0, null, null);
        }
    }

    /** What a call asks for, whoever asks: a trainer's successor repeats its calls with a higher epoch. */
    private static JsonNode content(WorkerCall call) {
        ObjectNode content = Json.MAPPER.valueToTree(call);
        content.remove("epoch");
        return content.put("call", call.getClass().getSimpleName());
    }

    /** The highest epoch that a call has shown; -1 before the first. */
    synchronized int epoch() {
        return epoch;
    }

    /** Whether something is running or waiting to. */
    synchronized boolean isWorking() {
        return unfinished > 0;
    }

    /**
     * Refuses callers that have been replaced.
     *
     * @throws WorkerException with STALE_EPOCH
     */
    synchronized void admit(WorkerCall call) {
        if (call.epoch() < epoch) {
            throw new WorkerException(
                    WorkerErrorCode.STALE_EPOCH,
                    "epoch " + call.epoch() + " has been replaced by epoch " + epoch,
                    "stop: another trainer owns this worker");
        }
        epoch = call.epoch();
    }

    /**
     * Starts a call's work, or finds it started, and waits a little for its end.
     *
     * @throws WorkerException if the caller has been replaced, the id is another call's, or too much is waiting
     */
    Operation start(WorkerCall call, Work work, Duration patience) {
        Running running;
        synchronized (this) {
            admit(call);
            running = byId.get(call.operationId());
            if (running == null) {
                running = begin(call, work);
            } else if (!running.content.equals(content(call))) {
                throw new WorkerException(
                        WorkerErrorCode.INVALID_REQUEST,
                        "operation " + call.operationId() + " was a different call",
                        "give every piece of work its own id");
            }
        }
        try {
            running.computed.await(patience.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return running.answer;
    }

    /** The state of an operation; null if it is not known (any more). */
    synchronized @Nullable Operation find(String operationId) {
        Running running = byId.get(operationId);
        return running == null ? null : running.answer;
    }

    /** Takes nothing new and waits for what has begun. */
    @Override
    public void close() {
        try {
            thread.shutdown();
            boolean done = thread.awaitTermination(LAST_OPERATION.toSeconds(), TimeUnit.SECONDS);
            writer.shutdown();
            if (!done || !writer.awaitTermination(LAST_OPERATION.toSeconds(), TimeUnit.SECONDS)) {
                LOG.log(System.Logger.Level.WARNING, "gave up on an operation after {0}", LAST_OPERATION);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Running begin(WorkerCall call, Work work) {
        if (unfinished >= MAX_WAITING) {
            throw new WorkerException(
                    WorkerErrorCode.INVALID_REQUEST, unfinished + " operations are unfinished", "wait for one of them");
        }
        Running running = new Running(call);
        byId.put(call.operationId(), running);
        forgetOldest();
        unfinished++;
        thread.execute(() -> run(running, work));
        return running;
    }

    private void forgetOldest() {
        var entries = byId.values().iterator();
        while (byId.size() > MAX_REMEMBERED && entries.hasNext()) {
            if (entries.next().answer.state() != Operation.State.RUNNING) {
                entries.remove();
            }
        }
    }

    private void run(Running running, Work work) {
        String id = running.operationId;
        Operation answer;
        try {
            Object result = work.run((done, total) -> running.answer =
                    new Operation(id, Operation.State.RUNNING, total == 0 ? 0 : (double) done / total, null, null));
            if (result instanceof Rest rest) {
                writer.execute(() -> run(running, rest::run));
                running.computed.countDown();
                return;
            }
            answer = new Operation(id, Operation.State.DONE, 1, Json.MAPPER.valueToTree(result), null);
        } catch (Exception | OutOfMemoryError e) {
            WorkerError error = Failures.errorOf(e);
            if (error.code() == WorkerErrorCode.INTERNAL) {
                LOG.log(System.Logger.Level.ERROR, "operation failed operationId=" + id, e);
            }
            answer = new Operation(id, Operation.State.FAILED, running.answer.progress(), null, error);
        }
        synchronized (this) {
            running.answer = answer;
            unfinished--;
        }
        running.computed.countDown();
    }
}
