package dev.sluice.rollout;

import com.sun.management.OperatingSystemMXBean;
import dev.sluice.domain.environment.EnvironmentFunction;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.InstanceSnapshot.State;
import dev.sluice.events.Topics;
import dev.sluice.kafka.AddressedReader;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import dev.sluice.process.Life;
import dev.sluice.quarkus.Instance;
import dev.sluice.quarkus.Readers;
import dev.sluice.quarkus.Roots;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.core.CoreThread;
import dev.sluice.rollout.core.KafkaPublisher;
import dev.sluice.rollout.engine.ChildEngineLauncher;
import dev.sluice.rollout.engine.EngineDeadlines;
import dev.sluice.rollout.engine.EngineFigures;
import dev.sluice.rollout.engine.EngineLauncher;
import dev.sluice.rollout.engine.ExternalEngines;
import dev.sluice.rollout.engine.ExternalRouter;
import dev.sluice.rollout.engine.Listening;
import dev.sluice.rollout.environment.Environments;
import dev.sluice.rollout.heartbeat.Heartbeats;
import dev.sluice.rollout.hook.OwnFunctions;
import dev.sluice.rollout.reward.OwnJars;
import dev.sluice.rollout.reward.OwnRewards;
import dev.sluice.rollout.reward.Rewards;
import dev.sluice.rollout.sampling.GroupSampler;
import dev.sluice.rollout.task.GroupFigures;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.vertx.http.HttpServer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts the instance with its readers and ends it in order. */
@ApplicationScoped
class RolloutService {
    private static final Logger LOG = LoggerFactory.getLogger(RolloutService.class);
    /** For the engines to end and the last events to be acknowledged, after the drain. */
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(8);

    private final RolloutConfig config;
    private final Instance identity;
    private final Roots roots;
    private final Readers readers;
    private final KafkaConnection connection;
    private final CoreThread core = new CoreThread(Clock.systemUTC());
    private final KafkaPublisher publisher;
    private final RolloutInstance instance;
    private final HttpServer server;

    RolloutService(
            RolloutConfig config,
            Instance identity,
            Roots roots,
            Readers readers,
            KafkaConnection connection,
            HttpServer server,
            MeterRegistry registry) {
        this.config = config;
        this.identity = identity;
        this.roots = roots;
        this.readers = readers;
        this.connection = connection;
        this.server = server;
        this.publisher = new KafkaPublisher(connection);
        this.instance =
                new RolloutInstance(surroundings(registry), new Heartbeats(core, publisher, this::snapshot), slots());
    }

    private RunRollout.Surroundings surroundings(MeterRegistry registry) {
        RolloutConfig.Engine engine = config.engine();
        if (engine.life() == Life.DETACHED) {
            throw new IllegalArgumentException(
                    "sluice.rollout.engine.life=detached would leave engines behind; use stdin or guarded");
        }
        Path localWeights = config.localWeights()
                .orElseGet(() -> roots.dataRoot()
                        .resolve("instances")
                        .resolve(identity.id())
                        .resolve("weights"));
        List<Path> loadableFrom =
                Stream.concat(roots.all().stream(), Stream.of(localWeights)).toList();
        if (engine.addresses().isPresent() && config.router().isPresent()) {
            throw new IllegalArgumentException("sluice.rollout.engine.addresses and sluice.rollout.router are both set;"
                    + " give the engines' addresses, or a router that knows them");
        }
        AtomicInteger started = new AtomicInteger();
        List<Path> jars = config.rewardJars().orElse(List.of());
        return new RunRollout.Surroundings(
                identity.id(),
                identity.incarnation(),
                core,
                publisher,
                launcher(engine, loadableFrom),
                deadlines(engine),
                roots::objection,
                () -> "%s-%s-%d".formatted(identity.id(), identity.incarnation(), started.incrementAndGet()),
                localWeights,
                new EngineFigures(registry),
                new GroupFigures(registry),
                new GroupSampler.Others(
                        new Rewards(config.rewardUrls().orElse(List.of()), config.rewardCalls(), OwnRewards.load(jars)),
                        new Environments(
                                config.environmentUrls().orElse(List.of()),
                                config.rewardCalls(),
                                OwnJars.provided(EnvironmentFunction.class, jars)),
                        new OwnFunctions(
                                config.rewardUrls().orElse(List.of()), config.rewardCalls(), this::routerUrl)));
    }

    /** Tasks come after this service listens. */
    private String routerUrl() {
        return config.routerUrl()
                .map(URI::toString)
                .orElseGet(() -> server.getLocalBaseUri().toString());
    }

    RolloutInstance instance() {
        return instance;
    }

    Core core() {
        return core;
    }

    private EngineLauncher launcher(RolloutConfig.Engine engine, List<Path> loadableFrom) {
        String apiKey = engine.apiKey().orElse(null);
        Optional<EngineLauncher> external = engine.addresses()
                .<EngineLauncher>map(addresses -> new ExternalEngines(addresses, apiKey))
                .or(() -> config.router().map(router -> new ExternalRouter(router, apiKey)));
        return external.orElseGet(() -> new ChildEngineLauncher(
                engine.command().orElse(List.of()),
                engine.life(),
                roots.dataRoot(),
                loadableFrom,
                engine.meetingHost().orElseGet(HostAddress::ofThisHost),
                new Listening(engine.host(), apiKey),
                roots::objection));
    }

    /** Engines that this instance can hold. */
    private int slots() {
        return config.engine()
                .addresses()
                .map(List::size)
                .or(() -> config.router().map(router -> 1))
                .orElse(config.slots());
    }

    private static EngineDeadlines deadlines(RolloutConfig.Engine engine) {
        return new EngineDeadlines(
                engine.startDeadline(),
                engine.warmDeadline(),
                engine.updateDrain(),
                engine.startDeadline(),
                engine.suspectDeadline(),
                engine.stopGrace(),
                new EngineDeadlines.Watch(engine.progressDeadline(), engine.canaryDeadline(), engine.canaryPeriod()));
    }

    void start(@Observes StartupEvent event) {
        // Listen first: from the moment that we announce ourselves tasks may come.
        AddressedReader tasks = readers.track(
                "tasks", AddressedReader.start(connection, Topics.GROUP_TASKS, identity.id(), instance::handle));
        StateReader state = readers.track(
                "runs, engines and weights",
                StateReader.start(
                        connection, List.of(Topics.RUN_EVENTS, Topics.ENGINES, Topics.WEIGHTS), instance::handle));
        CompletableFuture.allOf(tasks.listening(), state.caughtUp()).thenRun(instance::announce);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        Duration deadline = config.drain().plus(STOP_DEADLINE);
        try {
            instance.drain(config.drain()).get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOG.warn("the instance did not come to rest within {}; its engines end with it", deadline);
        }
        core.close();
        publisher.close();
    }

    private InstanceSnapshot snapshot(State state, Instant now) {
        return new InstanceSnapshot(
                identity.id(),
                identity.incarnation(),
                InstanceSnapshot.Role.ROLLOUT,
                state,
                // As trainers do: a run whose engines share GPUs with training takes instances of one host.
                config.engine().meetingHost().orElseGet(RolloutService::hostName),
                ProcessHandle.current().pid(),
                config.backend(),
                config.gpus(),
                hostMemoryMiB(),
                slots(),
                AddressedReader.partitionOf(identity.id(), Topics.GROUP_TASKS),
                Map.of("java", Runtime.version().toString()),
                now);
    }

    private static long hostMemoryMiB() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getTotalMemorySize() >> 20
                : 0;
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }
}
