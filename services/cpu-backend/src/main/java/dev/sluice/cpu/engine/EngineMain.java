package dev.sluice.cpu.engine;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.cpu.engine.LaunchFlags.UsageException;
import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.JsonServer;
import dev.sluice.cpu.http.Routes;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * Starts the engine with the flags of {@code sglang.launch_server}. Exits with 2 for a command line that cannot be used, with 1
 * where the model cannot be served or the scheduler fails, and with 0 when its life line ends.
 */
public final class EngineMain {
    private static final String READY = "The server is fired up and ready to roll!";
    private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration REPLY_TIMEOUT = Duration.ofSeconds(2);
    private static final Logger LOG = System.getLogger(EngineMain.class.getName());

    private EngineMain() {}

    public static void main(String[] arguments) {
        EngineOptions options;
        try {
            options = EngineOptions.of(LaunchFlags.parse(List.of(arguments)));
        } catch (UsageException e) {
            System.err.println("usage: engine --model-path MODEL_PATH [flags of sglang.launch_server]");
            System.err.println("engine: error: " + e.getMessage());
            System.exit(2);
            return;
        }
        EngineLog.setUp(options.logLevel());
        EngineEnvironment environment = EngineEnvironment.of(System.getenv());
        if (environment.lifeline()) {
            // Before the model is loaded: a parent may die meanwhile.
            Thread.ofPlatform().daemon().name("lifeline").start(EngineMain::followLifeline);
        }
        try {
            if (options.place().rank() > 0) {
                follow(options);
            } else {
                Preload.start();
                serve(options, environment);
            }
        } catch (IOException | CheckpointException | IllegalArgumentException | RequestException e) {
            System.err.println("engine: cannot serve " + options.modelPath() + ": " + e.getMessage());
            System.exit(1);
        }
    }

    private static void serve(EngineOptions options, EngineEnvironment environment) throws IOException {
        long start = System.nanoTime();
        NodePlace place = options.place();
        NodeMeeting meeting =
                place.meeting() == null ? null : new NodeMeeting(place, place.meeting(), EngineMain::abandoned);
        Engine engine = Engine.load(options, environment, EngineMain::crashed);
        if (meeting != null) {
            meeting.awaitAll();
        }
        EngineServer server = new EngineServer(engine, Clock.systemUTC());
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            if (meeting != null) {
                                meeting.close();
                            }
                            drain(server, engine);
                        },
                        "drain"));
        System.out.printf(
                "Listening on http://%s:%d after %.2f s%n",
                options.host(), server.address().getPort(), (System.nanoTime() - start) / 1e9);
        System.out.println(READY);
        System.out.flush();
        // From here on the server's threads keep the process alive.
    }

    /** A node above 0 answers health checks with 200 and nothing else, as SGLang's does; it ends with node 0. */
    private static void follow(EngineOptions options) throws IOException {
        NodePlace place = options.place();
        NodeMeeting.join(place, Objects.requireNonNull(place.meeting()), EngineMain::abandoned);
        Routes routes = new Routes();
        for (String path : List.of("/health", "/health_generate", "/ping")) {
            routes.open("GET", path, call -> new Answer.Empty(200));
        }
        JsonServer server = JsonServer.start(
                new JsonServer.Settings(new InetSocketAddress(options.host(), options.port()), 1 << 16, null),
                routes,
                Envelopes::of);
        System.out.printf(
                "Listening on http://%s:%d as %s%n",
                options.host(), server.address().getPort(), place);
        System.out.flush();
    }

    /** What NCCL's watchdog does to a rank whose group is broken. */
    private static void abandoned(String loss) {
        System.err.println("Scheduler hit an exception: " + loss + "; an engine ends with any of its nodes");
        Runtime.getRuntime().halt(1);
    }

    private static void followLifeline() {
        try {
            System.in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // A broken life line has ended too.
        }
        System.exit(0);
    }

    /** Lets what runs finish, for a while; then ends the rest with what it has, so that the journal is complete. */
    private static void drain(EngineServer server, Engine engine) {
        server.drain();
        try {
            if (!engine.ranks().awaitIdle(DRAIN_TIMEOUT)) {
                LOG.log(Level.WARNING, "requests still run after {0}; aborting them", DRAIN_TIMEOUT);
            }
            // Also those that a pause held back.
            engine.ranks().abort(rid -> true);
        } catch (Exception e) {
            LOG.log(Level.WARNING, "the requests cannot be ended: {0}", e.toString());
        }
        engine.ranks().close();
        server.awaitAnswers(REPLY_TIMEOUT);
        server.close();
    }

    private static void crashed(Throwable cause) {
        System.err.println("Scheduler hit an exception: " + cause);
        cause.printStackTrace();
        // The state of requests is lost; a supervisor must see a dead process, not one that answers nothing.
        Runtime.getRuntime().halt(1);
    }
}
