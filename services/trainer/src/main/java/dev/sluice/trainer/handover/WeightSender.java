package dev.sluice.trainer.handover;

import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.process.PortLease;
import dev.sluice.trainer.wait.RunWait;
import dev.sluice.trainer.wait.Waits;
import dev.sluice.trainer.worker.MeetingHost;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.workerapi.ConnectRequest;
import dev.sluice.workerapi.SendRequest;
import dev.sluice.workerapi.Sent;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has the worker put the newest weights into engines that stand still for them. */
final class WeightSender {
    private static final Logger LOG = LoggerFactory.getLogger(WeightSender.class);

    private final Means means;
    private final Worker worker;
    private final Waits waits;
    private final Duration bound;
    private @Nullable Group group;

    /** @param engines in the order of their ranks */
    private record Group(String name, List<String> engines) {}

    WeightSender(Means means, Worker worker) {
        this.means = means;
        this.worker = worker;
        this.waits = means.waits().of(worker);
        this.bound = means.config().worker().callDeadline();
    }

    /** Over a process group, which is formed anew where other engines are in it than before. */
    void broadcast(List<EnginePlace> engines, int number) throws InterruptedException {
        List<String> ids = engines.stream().map(EnginePlace::engineId).toList();
        Group current = group;
        if (current == null || !current.engines().equals(ids)) {
            group = null; // one that does not form leaves the one before broken
            current = connect(engines, ids, number);
            group = current;
        }
        send(engines, SendRequest.Transport.NCCL, current.name());
    }

    /** As handles of memory on the GPUs that worker and engines share. */
    void share(List<EnginePlace> engines) throws InterruptedException {
        send(engines, SendRequest.Transport.TENSOR, null);
    }

    private Group connect(List<EnginePlace> engines, List<String> ids, int number) throws InterruptedException {
        String name = "sluice-%s-%d".formatted(means.run().runId(), number);
        try (PortLease port = PortLease.take()) {
            ConnectRequest request = new ConnectRequest(
                    means.run().epoch(),
                    id("connect"),
                    MeetingHost.of(means.config().worker()),
                    port.port(),
                    name,
                    engines.stream()
                            .map(engine -> new ConnectRequest.Member(engine.address(), engine.ranks()))
                            .toList(),
                    "nccl");
            waits.call(
                    RunWait.SENDING,
                    "the process group of worker and engines",
                    bound,
                    () -> worthAnotherTry(() -> worker.client().connect(request, bound)));
        } catch (IOException e) {
            throw new UncheckedIOException("no port for worker and engines to meet at: " + e.getMessage(), e);
        }
        LOG.info(
                "worker and engines are connected runId={} group={} engines={}",
                means.run().runId(),
                name,
                ids);
        return new Group(name, ids);
    }

    private void send(List<EnginePlace> engines, SendRequest.Transport transport, @Nullable String groupName)
            throws InterruptedException {
        SendRequest request = new SendRequest(
                means.run().epoch(),
                id("send"),
                engines.stream().map(EnginePlace::address).toList(),
                means.version(),
                transport,
                groupName,
                // Their instances have done it, and know whether requests wait in them.
                false,
                0,
                means.run().request().weights().loadDeadlineSeconds());
        Sent sent = waits.call(
                RunWait.SENDING,
                "weight version " + request.version() + " on its way into engines",
                bound,
                () -> worthAnotherTry(() -> worker.client().send(request, bound)));
        LOG.info(
                "weights sent runId={} weightVersion={} engines={} bytes={} seconds={}",
                means.run().runId(),
                request.version(),
                engines.size(),
                sent.bytes(),
                "%.2f".formatted(sent.seconds()));
    }

    /** Elsewhere some of these end a run, because the same call fails again; here the next one goes to new engines, or is none. */
    private static <T> T worthAnotherTry(Supplier<T> call) {
        try {
            return call.get();
        } catch (WorkerException e) {
            if (e.code() == WorkerErrorCode.STALE_EPOCH) {
                throw e;
            }
            throw new WorkerException(WorkerErrorCode.INTERNAL, "weights were not sent: " + e.getMessage(), "");
        }
    }

    private String id(String what) {
        // Never an id of before: the worker would answer without sending anything.
        return "%s-e%d-%s".formatted(what, means.run().epoch(), UUID.randomUUID());
    }
}
