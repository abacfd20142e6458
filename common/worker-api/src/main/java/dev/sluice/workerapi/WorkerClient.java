package dev.sluice.workerapi;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.http.HttpReply;
import dev.sluice.http.Json;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A training worker reached over HTTP. Thread-safe. Calls block until their work is done, their deadline passed or they
 * failed, and throw {@link WorkerException}. After a {@code DEADLINE} or {@code UNREACHABLE} the same request may be sent
 * again: the worker knows its {@code operationId} and starts nothing twice.
 */
public final class WorkerClient {
    /** How soon a running operation is asked for first, and at most how late again. */
    private static final Duration FIRST_POLL = Duration.ofMillis(20);

    private static final Duration SLOWEST_POLL = Duration.ofMillis(100);

    private final HttpEndpoint endpoint;
    private final Observer observer;

    /** Told of each operation when it is over, however it went. */
    @FunctionalInterface
    public interface Observer {
        /**
         * @param path such as {@code /train}
         * @param began when it was asked for
         */
        void ended(String path, Instant began);

        /** Told how an operation stands whenever it was asked for and still runs. */
        default void runs(Operation operation) {}
    }

    private WorkerClient(HttpEndpoint endpoint, Observer observer) {
        this.endpoint = endpoint;
        this.observer = observer;
    }

    /** The worker at an address; a token is sent with every call. */
    public static WorkerClient at(URI address, @Nullable String token) {
        return new WorkerClient(HttpEndpoint.at(address).withBearerToken(token), (path, began) -> {});
    }

    /** The same worker; somebody is told of its operations. */
    public WorkerClient observedBy(Observer newObserver) {
        return new WorkerClient(endpoint, newObserver);
    }

    public WorkerHealth health(Duration deadline) {
        return read(call(HttpCall.get("/health", deadline)), WorkerHealth.class);
    }

    public WorkerInfo info(Duration deadline) {
        return read(call(HttpCall.get("/info", deadline)), WorkerInfo.class);
    }

    public LoadResult load(LoadRequest request, Duration deadline) {
        return finish("/load", request, LoadResult.class, deadline);
    }

    public ForwardResult forward(ForwardRequest request, Duration deadline) {
        return finish("/forward", request, ForwardResult.class, deadline);
    }

    public TrainResult train(TrainRequest request, Duration deadline) {
        return finish("/train", request, TrainResult.class, deadline);
    }

    public FilesWritten export(ExportRequest request, Duration deadline) {
        return finish("/export", request, FilesWritten.class, deadline);
    }

    public FilesWritten save(SaveRequest request, Duration deadline) {
        return finish("/save", request, FilesWritten.class, deadline);
    }

    /** Ends once the group's last member has come; until then it is to be asked on another thread than theirs. */
    public Connected connect(ConnectRequest request, Duration deadline) {
        return finish("/weights/connect", request, Connected.class, deadline);
    }

    public Sent send(SendRequest request, Duration deadline) {
        return finish("/weights/send", request, Sent.class, deadline);
    }

    public MemoryMoved offload(OffloadRequest request, Duration deadline) {
        return finish("/offload", request, MemoryMoved.class, deadline);
    }

    public MemoryMoved onload(OnloadRequest request, Duration deadline) {
        return finish("/onload", request, MemoryMoved.class, deadline);
    }

    /** Begins to write a cut; returns once the worker has taken a copy of it. Ask later for what was {@link #saved}. */
    public void beginSave(SaveRequest request, Duration deadline) {
        result("/save", read(call(HttpCall.post("/save", request, deadline)), Operation.class), FilesWritten.class);
    }

    /** The files of a cut that is being written, once all of them are. */
    public Optional<FilesWritten> saved(SaveRequest request, Duration deadline) {
        Operation operation = operation(request.operationId(), deadline)
                .orElseThrow(() -> new WorkerException(
                        WorkerErrorCode.NOT_FOUND,
                        "the worker does not know operation " + request.operationId(),
                        "it is another process; save again"));
        return result("/save", operation, FilesWritten.class);
    }

    /** Asks the worker to end; returns once it has agreed. */
    public void shutdown(ShutdownRequest request, Duration deadline) {
        call(HttpCall.post("/shutdown", request, deadline));
    }

    /** The state of an operation, or nothing if the worker does not know it. */
    public Optional<Operation> operation(String operationId, Duration deadline) {
        try {
            return Optional.of(read(call(HttpCall.get("/operations/" + operationId, deadline)), Operation.class));
        } catch (WorkerException e) {
            if (e.code() == WorkerErrorCode.NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private <T> T finish(String path, WorkerCall request, Class<T> type, Duration deadline) {
        Instant began = Instant.now();
        try {
            return complete(path, request, type, deadline);
        } finally {
            observer.ended(path, began);
        }
    }

    private <T> T complete(String path, WorkerCall request, Class<T> type, Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        Operation operation = read(call(HttpCall.post(path, request, deadline)), Operation.class);
        Duration pause = FIRST_POLL;
        while (operation.state() == Operation.State.RUNNING) {
            Duration left = Duration.ofNanos(end - System.nanoTime());
            // The last question needs some time for its answer.
            observer.runs(operation);
            if (left.compareTo(FIRST_POLL) < 0) {
                throw late(path, request, deadline, operation);
            }
            pause(pause.compareTo(left) < 0 ? pause : left);
            operation = poll(request.operationId(), end).orElse(operation);
            pause = pause.multipliedBy(2).compareTo(SLOWEST_POLL) < 0 ? pause.multipliedBy(2) : SLOWEST_POLL;
        }
        return result(path, operation, type).orElseThrow();
    }

    /** The operation's state, or nothing if the deadline passed before the answer came. */
    private Optional<Operation> poll(String operationId, long end) {
        Duration left = Duration.ofNanos(end - System.nanoTime());
        if (!left.isPositive()) {
            return Optional.empty();
        }
        try {
            return Optional.of(read(call(HttpCall.get("/operations/" + operationId, left)), Operation.class));
        } catch (WorkerException e) {
            if (e.code() == WorkerErrorCode.DEADLINE) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private static WorkerException late(String path, WorkerCall request, Duration deadline, Operation operation) {
        return new WorkerException(
                WorkerErrorCode.DEADLINE,
                path + " was not done after " + deadline + " (" + operation.situation() + ")",
                "it goes on in the worker; ask for operation " + request.operationId() + " again");
    }

    /** Nothing while it runs. */
    private static <T> Optional<T> result(String path, Operation operation, Class<T> type) {
        if (operation.error() != null) {
            throw new WorkerException(operation.error(), null);
        }
        if (operation.state() == Operation.State.RUNNING) {
            return Optional.empty();
        }
        try {
            return Optional.of(Json.MAPPER.treeToValue(operation.result(), type));
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw notUnderstood(path + " gave no " + type.getSimpleName() + ": " + e.getMessage(), e);
        }
    }

    private HttpReply call(HttpCall call) {
        HttpReply reply;
        try {
            reply = endpoint.call(call);
        } catch (HttpCallException e) {
            boolean late = e.reason() == HttpCallException.Reason.DEADLINE;
            WorkerErrorCode code = late ? WorkerErrorCode.DEADLINE : WorkerErrorCode.UNREACHABLE;
            String mend = late ? "see what the worker is doing" : "see whether the worker is alive";
            throw new WorkerException(WorkerError.of(code, String.valueOf(e.getMessage()), mend), e);
        }
        if (reply.isSuccess()) {
            return reply;
        }
        throw new WorkerException(refusal(call, reply), null);
    }

    private static WorkerError refusal(HttpCall call, HttpReply reply) {
        try {
            WorkerError error = reply.json(WorkerError.class);
            if (error.code() != null && error.message() != null && error.mend() != null) {
                return error;
            }
        } catch (IOException e) {
            // Not a worker's own refusal but that of something in between: shown as it came.
        }
        WorkerErrorCode code = reply.status() == 404 ? WorkerErrorCode.NOT_FOUND : WorkerErrorCode.UNKNOWN;
        return WorkerError.of(code, call.path() + " answered " + reply.status() + ": " + reply.excerpt(), "");
    }

    private static <T> T read(HttpReply reply, Class<T> type) {
        try {
            return reply.json(type);
        } catch (IOException e) {
            throw notUnderstood("the worker's answer is no " + type.getSimpleName() + ": " + reply.excerpt(), e);
        }
    }

    private static WorkerException notUnderstood(String message, Exception cause) {
        String mend = "see that client and worker are of the same release";
        return new WorkerException(WorkerError.of(WorkerErrorCode.UNKNOWN, message, mend), cause);
    }

    private static void pause(Duration duration) {
        try {
            Thread.sleep(duration.isPositive() ? duration : Duration.ZERO);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerException(
                    WorkerError.of(WorkerErrorCode.DEADLINE, "the caller was interrupted", "ask again"), e);
        }
    }
}
