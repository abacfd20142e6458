package dev.sluice.cpu.worker;

import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.Call;
import dev.sluice.cpu.http.Handler;
import dev.sluice.cpu.http.Problem;
import dev.sluice.cpu.http.Routes;
import dev.sluice.workerapi.ExportRequest;
import dev.sluice.workerapi.ForwardRequest;
import dev.sluice.workerapi.LoadRequest;
import dev.sluice.workerapi.OffloadRequest;
import dev.sluice.workerapi.OnloadRequest;
import dev.sluice.workerapi.Operation;
import dev.sluice.workerapi.SaveRequest;
import dev.sluice.workerapi.ShutdownRequest;
import dev.sluice.workerapi.TrainRequest;
import dev.sluice.workerapi.WorkerCall;
import dev.sluice.workerapi.WorkerError;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import dev.sluice.workerapi.WorkerHealth;
import dev.sluice.workerapi.WorkerInfo;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/** The training-worker API over HTTP. */
final class WorkerRoutes {
    /** A call that is done within this answers at once; a longer one answers 202 and is asked after. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final WorkerInfo INFO = new WorkerInfo(
            "cpu",
            "libtorch 2.10.0",
            1,
            Set.of(
                    "train",
                    "mtp",
                    "forward:logprobs",
                    "forward:entropy",
                    "reference",
                    "teacher",
                    "critic",
                    "forward:values",
                    "export:hf",
                    "save",
                    "offload"),
            true);

    private final TrainingWorker worker;
    private final Operations operations;
    private final Lease lease;
    private final Runnable shutdown;

    WorkerRoutes(TrainingWorker worker, Operations operations, Lease lease, Runnable shutdown) {
        this.worker = worker;
        this.operations = operations;
        this.lease = lease;
        this.shutdown = shutdown;
    }

    Routes routes() {
        return new Routes()
                .on("GET", "/health", renewing(call -> Answer.ok(health())))
                .on("GET", "/info", renewing(call -> Answer.ok(INFO)))
                .on("GET", "/operations/{id}", renewing(this::operation))
                .on("POST", "/load", renewing(call -> {
                    LoadRequest request = call.read(LoadRequest.class);
                    return start(request, progress -> worker.load(request, progress));
                }))
                .on("POST", "/forward", renewing(call -> {
                    ForwardRequest request = call.read(ForwardRequest.class);
                    return start(request, progress -> worker.forward(request));
                }))
                .on("POST", "/train", renewing(call -> {
                    TrainRequest request = call.read(TrainRequest.class);
                    return start(request, progress -> worker.train(request));
                }))
                .on("POST", "/export", renewing(call -> {
                    ExportRequest request = call.read(ExportRequest.class);
                    return start(request, progress -> worker.export(request));
                }))
                .on("POST", "/save", renewing(call -> {
                    SaveRequest request = call.read(SaveRequest.class);
                    return start(request, progress -> worker.save(request, progress));
                }))
                .on("POST", "/offload", renewing(call -> {
                    OffloadRequest request = call.read(OffloadRequest.class);
                    return start(request, progress -> worker.stay());
                }))
                .on("POST", "/onload", renewing(call -> {
                    OnloadRequest request = call.read(OnloadRequest.class);
                    return start(request, progress -> worker.stay());
                }))
                .on("POST", "/shutdown", this::shutdown);
    }

    /** Words the server's own refusals, and those that handlers throw, as worker errors. */
    static Answer wording(Problem problem) {
        WorkerError error = switch (problem) {
            case Problem.Unauthorised unauthorised ->
                WorkerError.of(
                        WorkerErrorCode.UNAUTHORISED,
                        "the bearer token is missing or another",
                        "give trainer and worker the same token");
            case Problem.UnknownPath unknown ->
                WorkerError.of(WorkerErrorCode.NOT_FOUND, "there is no " + unknown.path(), "");
            case Problem.UnknownMethod unknown ->
                WorkerError.of(WorkerErrorCode.NOT_FOUND, "no " + unknown.method() + " on " + unknown.path(), "");
            case Problem.BodyTooLarge large ->
                WorkerError.of(
                        WorkerErrorCode.INVALID_REQUEST,
                        "the body exceeds " + large.limitBytes() + " bytes",
                        "send long columns in the batch file");
            case Problem.Busy busy ->
                WorkerError.of(
                        WorkerErrorCode.OUT_OF_MEMORY, "too many long bodies are being served", "send it again later");
            case Problem.BodyNotUnderstood body -> WorkerError.of(WorkerErrorCode.INVALID_REQUEST, body.reason(), "");
            case Problem.HandlerFailed failed -> Failures.errorOf(failed.cause());
        };
        int status = error.code().status() == 0 ? 500 : error.code().status();
        return new Answer.Json(status, error);
    }

    private WorkerHealth health() {
        TrainingWorker.Standing standing = worker.standing();
        WorkerHealth.State idle = standing.isLoaded() ? WorkerHealth.State.READY : WorkerHealth.State.EMPTY;
        return new WorkerHealth(
                operations.isWorking() ? WorkerHealth.State.WORKING : idle,
                standing.runId(),
                operations.epoch(),
                standing.step(),
                standing.batchSha256(),
                standing.weightVersion());
    }

    private Answer operation(Call call) {
        String id = call.variable("id");
        Operation operation = operations.find(id);
        if (operation == null) {
            throw new WorkerException(
                    WorkerErrorCode.NOT_FOUND,
                    "operation " + id + " is not known here",
                    "compare /health with the log: it may never have arrived, or the worker is another process");
        }
        return Answer.ok(operation);
    }

    private Answer start(WorkerCall call, Operations.Work work) {
        Operation operation = operations.start(call, work, PATIENCE);
        return new Answer.Json(operation.state() == Operation.State.RUNNING ? 202 : 200, operation);
    }

    private Answer shutdown(Call call) {
        ShutdownRequest request = call.read(ShutdownRequest.class);
        operations.admit(request);
        shutdown.run();
        return new Answer.Json(202, Map.of("stopping", true));
    }

    private Handler renewing(Handler handler) {
        return call -> {
            lease.renew();
            return handler.handle(call);
        };
    }
}
