package dev.sluice.rollout.engine;

import dev.sluice.rollout.weights.WeightSource;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.MemoryTag;
import dev.sluice.sglang.PauseMode;
import dev.sluice.sglang.SglangClient;
import dev.sluice.sglang.StreamedSamples;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A router and its workers as one engine. */
final class RouterEngine implements EngineApi {
    private static final Logger LOG = LoggerFactory.getLogger(RouterEngine.class);

    private final SglangClient router;
    private final List<SglangClient> clients;
    private final List<SglangEngine> workers;
    private final BooleanSupplier workersChange;

    RouterEngine(SglangClient router, List<SglangClient> workers, BooleanSupplier workersChange) {
        this.router = router;
        this.clients = workers;
        this.workers = workers.stream().map(SglangEngine::new).toList();
        this.workersChange = workersChange;
    }

    /** One call a sample: a router balances calls, and does not understand batches. */
    @Override
    public List<GenerateResponse> generate(List<GenerateRequest> requests, Duration deadline) {
        return together(requests, request -> ofItsGroup(request).generate(request, deadline));
    }

    @Override
    public void stream(List<GenerateRequest> requests, StreamedSamples samples, Duration deadline) {
        together(IntStream.range(0, requests.size()).boxed().toList(), index -> {
            GenerateRequest request = requests.get(index);
            ofItsGroup(request).stream(List.of(request), samples.only(index), deadline);
            return true;
        });
    }

    /** The samples of a group share their prompt, and each shares its conversation with its next turn. */
    private SglangClient ofItsGroup(GenerateRequest request) {
        String rid = String.valueOf(request.rid());
        int end = rid.indexOf('#');
        return router.ofSession(end < 0 ? rid : rid.substring(0, end));
    }

    @Override
    public void abort(String ridPrefix) {
        everyWorker(worker -> worker.abort(ridPrefix));
    }

    @Override
    public boolean healthy(Duration deadline) {
        return !workersChange.getAsBoolean()
                && router.health(deadline)
                && together(workers, worker -> worker.healthy(deadline)).stream()
                        .allMatch(healthy -> healthy);
    }

    @Override
    public Optional<Progress> progress(Duration deadline) {
        return together(workers, worker -> worker.progress(deadline)).stream()
                .reduce((one, other) -> one.flatMap(first -> other.map(first::plus)))
                .orElseThrow();
    }

    /** Workers may have different layouts. */
    @Override
    public Optional<String> checksum(Duration deadline) {
        return Optional.empty();
    }

    @Override
    public void standStill(PauseMode pause, Duration deadline) {
        everyWorker(worker -> worker.standStill(pause, deadline));
    }

    @Override
    public void release(Set<MemoryTag> tags, Duration deadline) {
        everyWorker(worker -> worker.release(tags, deadline));
    }

    @Override
    public void resume(Set<MemoryTag> tags, Duration deadline) {
        everyWorker(worker -> worker.resume(tags, deadline));
    }

    @Override
    public List<String> put(WeightSource source, boolean dropsCache, Duration deadline) {
        return together(workers, worker -> worker.put(source, dropsCache, deadline))
                .getFirst();
    }

    @Override
    public List<String> goOn(int version) {
        return together(workers, worker -> worker.goOn(version)).getFirst();
    }

    private void everyWorker(Consumer<SglangEngine> action) {
        together(workers, worker -> {
            action.accept(worker);
            return true;
        });
    }

    /** What we asked of the workers must not go on. */
    void letGo() {
        try {
            together(clients, client -> {
                client.abortAll();
                return true;
            });
        } catch (RuntimeException e) {
            LOG.info("router is let go without an answer address={}", router.baseUri());
        }
    }

    /** Does the same with all at once; fails with the first failure, when all have ended. */
    private static <T, R> List<R> together(List<T> all, Function<T, R> action) {
        List<R> results = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<R>> running = all.stream()
                    .map(one -> threads.submit((Callable<R>) () -> action.apply(one)))
                    .toList();
            for (Future<R> one : running) {
                results.add(one.get());
            }
            return results;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while calls to a router's workers ran", e);
        }
    }
}
