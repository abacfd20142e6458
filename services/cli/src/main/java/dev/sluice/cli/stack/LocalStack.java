package dev.sluice.cli.stack;

import dev.sluice.cli.CommandFailure;
import dev.sluice.cli.stack.ServiceProgram.StopTurn;
import dev.sluice.process.Leftovers;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The broker and all services on this machine, each a process of its own. {@link #start} returns when all are ready; from
 * then on whoever dies is started again. {@link #close} stops them in order and may be called at any time, from any thread.
 */
public final class LocalStack implements AutoCloseable {
    private static final int FIRST_DASHBOARD_PORT = 8080;
    private static final Duration START_DEADLINE = Duration.ofSeconds(90);
    /** Of each service that is late. */
    private static final int SHOWN_LINES = 5;

    private static final Duration PROBE_PAUSE = Duration.ofMillis(50);
    private static final Duration REPORT_PAUSE = Duration.ofSeconds(2);
    private static final Duration SWEEP_GRACE = Duration.ofSeconds(3);
    /** Together below the 15 s within which nothing may be left. */
    private static final Map<StopTurn, Duration> GRACE = Map.of(
            StopTurn.TRAINER, Duration.ofSeconds(3),
            StopTurn.ROLLOUT, Duration.ofSeconds(5),
            StopTurn.REST, Duration.ofSeconds(3),
            StopTurn.BROKER, Duration.ofSeconds(3));

    private final WorkDirectory workDirectory;
    private final StackPrograms programs;
    private final Consumer<String> says;
    private final List<SupervisedService> services = new ArrayList<>();
    private final CompletableFuture<String> broken = new CompletableFuture<>();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private volatile @Nullable FreePort dashboardPort;
    private boolean closing;

    /** @param says gets a line whenever something happens that a person should know */
    public LocalStack(
            Installation installation, WorkDirectory workDirectory, StackSettings settings, Consumer<String> says) {
        this(workDirectory, new Programs(installation, workDirectory, settings), says);
    }

    LocalStack(WorkDirectory workDirectory, StackPrograms programs, Consumer<String> says) {
        this.workDirectory = workDirectory;
        this.programs = programs;
        this.says = says;
    }

    /**
     * Ends what an earlier life left, then starts everything.
     *
     * @throws CommandFailure if a service is not built, dies at its start, or is not ready in time
     */
    public void start() {
        startBroker();
        try {
            FreePort free = FreePort.from(FIRST_DASHBOARD_PORT);
            dashboardPort = free;
            List<SupervisedService> others = new ArrayList<>();
            for (ServiceProgram program : programs.services(bootstrapServers(), free.port())) {
                others.add(begin(program));
            }
            awaitReady(others);
        } catch (IOException e) {
            throw CommandFailure.failed("the services cannot be started: " + e.getMessage());
        }
    }

    /**
     * Ends what an earlier life left, then starts the broker alone: the log of all runs can be read.
     *
     * @throws CommandFailure if it dies at its start, or is not ready in time
     */
    public void startBroker() {
        try {
            sweep();
            awaitReady(List.of(begin(programs.broker())));
        } catch (IOException e) {
            throw CommandFailure.failed("the broker cannot be started: " + e.getMessage());
        }
    }

    /** Where clients reach the broker; only after it is ready. */
    public String bootstrapServers() throws IOException {
        return "127.0.0.1:"
                + service("broker")
                        .flatMap(LocalStack::port)
                        .orElseThrow(() -> new IOException("the broker is not running"));
    }

    /** The dashboard's page, where the stack has one. */
    public Optional<URI> dashboard() {
        return service("dashboard").flatMap(LocalStack::port).map(port -> URI.create("http://localhost:" + port));
    }

    /** Ends with the reason when a service cannot be kept alive. */
    public CompletableFuture<String> broken() {
        return broken;
    }

    @Override
    public void close() {
        @Nullable List<SupervisedService> all;
        synchronized (this) {
            all = closing ? null : List.copyOf(services);
            closing = true;
        }
        if (all == null) {
            closed.join(); // another thread is at it
            return;
        }
        all.forEach(SupervisedService::prepareStop);
        try {
            for (StopTurn turn : StopTurn.values()) {
                stopTogether(
                        all.stream()
                                .filter(service -> service.program().stopTurn() == turn)
                                .toList(),
                        GRACE.get(turn));
                if (turn == StopTurn.TRAINER) {
                    Workers.stopAll(workDirectory.data(), Duration.ofSeconds(1));
                }
            }
            Leftovers.sweep(workDirectory.stateFiles(), Duration.ZERO);
        } catch (IOException e) {
            says.accept("some processes may be left: " + e.getMessage());
        } finally {
            FreePort port = dashboardPort;
            if (port != null) {
                port.close();
            }
            closed.complete(null);
        }
    }

    private void sweep() throws IOException {
        int ended = Leftovers.sweep(workDirectory.stateFiles(), SWEEP_GRACE).size();
        Workers.stopAll(workDirectory.data(), SWEEP_GRACE);
        if (ended > 0) {
            says.accept("ended " + ended + " processes that an earlier life of " + workDirectory.path() + " had left");
        }
    }

    private SupervisedService begin(ServiceProgram program) throws IOException {
        SupervisedService service = new SupervisedService(program, workDirectory, says);
        service.broken().thenAccept(broken::complete);
        synchronized (this) {
            if (closing) {
                throw new IOException("the stack is being stopped");
            }
            services.add(service);
            service.start();
        }
        return service;
    }

    private void awaitReady(List<SupervisedService> starting) {
        Map<String, String> lacking = new ConcurrentSkipListMap<>();
        starting.forEach(service -> lacking.put(service.name(), "starting"));
        for (SupervisedService service : starting) {
            Thread.ofVirtual().name("await-" + service.name()).start(() -> probe(service, lacking));
        }
        long deadline = System.nanoTime() + START_DEADLINE.toNanos();
        long nextReport = System.nanoTime() + REPORT_PAUSE.toNanos();
        while (!lacking.isEmpty()) {
            if (broken.isDone()) {
                throw CommandFailure.failed(broken.join());
            }
            long now = System.nanoTime();
            if (now > deadline) {
                throw CommandFailure.failed("not ready within %d s: %s; their logs are in %s%s"
                        .formatted(
                                START_DEADLINE.toSeconds(),
                                describe(lacking),
                                workDirectory.logs(),
                                newestLines(starting, lacking.keySet())));
            }
            if (now > nextReport) {
                says.accept("waiting for " + describe(lacking));
                nextReport = now + REPORT_PAUSE.toNanos();
            }
            LockSupport.parkNanos(PROBE_PAUSE.toNanos());
        }
        starting.forEach(SupervisedService::markReady);
    }

    private static String newestLines(List<SupervisedService> starting, Set<String> late) {
        return starting.stream()
                .filter(service -> late.contains(service.name()))
                .map(SupervisedService::current)
                .filter(Objects::nonNull)
                .flatMap(child -> child.lastLines(SHOWN_LINES).stream())
                .map(line -> "\n  " + line)
                .collect(Collectors.joining());
    }

    private void probe(SupervisedService service, Map<String, String> lacking) {
        Optional<String> lacks = Readiness.lacks(service);
        while (lacks.isPresent() && !broken.isDone() && !isClosing()) {
            lacking.put(service.name(), lacks.get());
            LockSupport.parkNanos(PROBE_PAUSE.toNanos());
            lacks = Readiness.lacks(service);
        }
        if (lacks.isEmpty()) {
            lacking.remove(service.name());
        }
    }

    private synchronized boolean isClosing() {
        return closing;
    }

    private synchronized Optional<SupervisedService> service(String name) {
        return services.stream().filter(service -> service.name().equals(name)).findFirst();
    }

    private static Optional<Integer> port(SupervisedService service) {
        try {
            return service.state().map(state -> state.port());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static String describe(Map<String, String> lacking) {
        return new TreeMap<>(lacking)
                .entrySet().stream()
                        .map(entry -> entry.getKey() + " (" + entry.getValue() + ")")
                        .collect(Collectors.joining(", "));
    }

    private static void stopTogether(Collection<SupervisedService> turn, Duration grace) {
        List<Thread> stopping = turn.stream()
                .map(service ->
                        Thread.ofVirtual().name("stop-" + service.name()).start(() -> service.stop(grace)))
                .toList();
        for (Thread thread : stopping) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
