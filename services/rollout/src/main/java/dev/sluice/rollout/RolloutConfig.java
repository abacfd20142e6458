package dev.sluice.rollout;

import dev.sluice.events.Backend;
import dev.sluice.process.Life;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Configuration of the rollout service. */
@ConfigMapping(prefix = "sluice.rollout")
interface RolloutConfig {
    Engine engine();

    /** An sglang-router whose workers are used as one engine, instead of engines of our own. */
    Optional<URI> router();

    /** Engines that this instance can hold; of external ones as many as there are addresses, of a router one. */
    @WithDefault("1")
    int slots();

    /** GPUs that this instance may use. */
    @WithDefault("0")
    int gpus();

    /** What its engines sample with. */
    @WithDefault("cpu")
    Backend backend();

    /** How long groups that run may go on when the service is stopped. */
    @WithDefault("3s")
    Duration drain();

    /**
     * Where this host keeps copies of weights that deltas patch; a fast disk of its own pays. Engines load from there. The
     * instance's folder in the data root where it is not set.
     */
    Optional<Path> localWeights();

    /** The API for SGLang clients. */
    Clients clients();

    /** The API for SGLang clients. */
    interface Clients {
        /** From a request to the end of its reply. */
        @WithDefault("1800s")
        Duration timeout();

        /** Largest body of a request, bytes. */
        @WithDefault("67108864")
        long maxBody();
    }

    /** What addresses begin with that a request's reward may make this instance call; none unless named here. */
    Optional<List<String>> rewardUrls();

    /** What addresses begin with that a request's turns may make this instance call; none unless named here. */
    Optional<List<String>> environmentUrls();

    /** Where functions of one's own reach the API for SGLang clients of this instance; this host alone reaches it unless set. */
    Optional<URI> routerUrl();

    /** Calls at once to one reward's or environment's address, or of one own reward or environment. */
    @WithDefault("64")
    int rewardCalls();

    /** Jars with rewards and environments of one's own. */
    Optional<List<Path>> rewardJars();

    /** Engines. */
    interface Engine {
        /** Program and leading arguments of an engine; the plan's arguments follow. */
        Optional<List<String>> command();

        /** Engines that somebody else started, such as http://10.0.0.7:30000; none are started then. */
        Optional<List<URI>> addresses();

        /** Bearer token that all engines and an external router ask for; those that are started here, where it is set. */
        Optional<String> apiKey();

        /** What engines that are started here bind; an address by which a worker on another host reaches them needs a token. */
        @WithDefault("127.0.0.1")
        String host();

        /** Where other hosts reach this one, for engines of several nodes; the address of the host's name where it is not set. */
        Optional<String> meetingHost();

        /** What ends an engine when this service dies: stdin where it watches it, guarded where it does not. */
        @WithDefault("stdin")
        Life life();

        /** From the start of the process to its first answer, loading included. */
        @WithDefault("15m")
        Duration startDeadline();

        /** For its first generation, which may compile kernels: SGLang 0.5.15 did so for 85 s on a fresh H100. */
        @WithDefault("300s")
        Duration warmDeadline();

        /** How long it may have work without computing a token, before a canary decides. */
        @WithDefault("30s")
        Duration progressDeadline();

        /** For a short generation of our own. */
        @WithDefault("30s")
        Duration canaryDeadline();

        /** How often one without work gets a canary. */
        @WithDefault("60s")
        Duration canaryPeriod();

        /** What runs may finish before a weight update. */
        @WithDefault("2s")
        Duration updateDrain();

        /** How long it may fail health checks, the slowest included, before it is replaced. */
        @WithDefault("90s")
        Duration suspectDeadline();

        /** How long it has to end in order. */
        @WithDefault("2s")
        Duration stopGrace();
    }
}
