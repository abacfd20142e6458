package dev.sluice.rollout.engine;

import dev.sluice.http.HttpCallException;
import dev.sluice.rollout.weights.WeightSource;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.MemoryTag;
import dev.sluice.sglang.PauseMode;
import dev.sluice.sglang.ServerInfo;
import dev.sluice.sglang.SglangClient;
import dev.sluice.sglang.StreamedSamples;
import dev.sluice.sglang.WeightUpdate;
import dev.sluice.sglang.WeightsChecksum;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** An engine behind SGLang's HTTP API. */
final class SglangEngine implements EngineApi {
    private static final int FLUSH_ATTEMPTS = 5;
    private static final Duration FLUSH_WAIT = Duration.ofSeconds(2);

    private static final int NOT_FOUND = 404;

    private final SglangClient client;

    SglangEngine(SglangClient client) {
        this.client = client;
    }

    /** It with its GPUs, as an engine that others started says them. */
    static EngineProcess.Member asMember(SglangClient client) {
        OptionalInt gpus = OptionalInt.empty();
        try {
            ServerInfo info = client.serverInfo();
            if (info.tpSize() != null) {
                gpus = OptionalInt.of(info.tpSize() * (info.ppSize() == null ? 1 : info.ppSize()));
            }
        } catch (HttpCallException e) {
            if (e.status() != NOT_FOUND) {
                throw e;
            }
        }
        return new EngineProcess.Member(client.baseUri(), gpus);
    }

    @Override
    public List<GenerateResponse> generate(List<GenerateRequest> requests, Duration deadline) {
        return client.generateAll(requests, deadline);
    }

    @Override
    public void stream(List<GenerateRequest> requests, StreamedSamples samples, Duration deadline) {
        client.stream(requests, samples, deadline);
    }

    @Override
    public void abort(String ridPrefix) {
        client.abort(ridPrefix);
    }

    @Override
    public boolean healthy(Duration deadline) {
        return client.health(deadline);
    }

    @Override
    public Optional<Progress> progress(Duration deadline) {
        try {
            return Optional.of(Progress.of(client.loads(deadline)));
        } catch (HttpCallException e) {
            if (e.status() == NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
    }

    @Override
    public Optional<Pressure> pressure(Duration deadline) {
        return Optional.of(Pressure.of(client.loads(deadline)));
    }

    @Override
    public Optional<String> checksum(Duration deadline) {
        try {
            WeightsChecksum sum = client.weightsChecksum(deadline);
            return sum.success() && sum.perEngineChecksum() != null
                    ? Optional.of(sum.perEngineChecksum().toString())
                    : Optional.empty();
        } catch (HttpCallException e) {
            if (e.reason() == HttpCallException.Reason.STATUS) {
                return Optional.empty(); // the call or its action came with 0.5.13
            }
            throw e;
        }
    }

    /**
     * {@inheritDoc}
     *
     * The order of slime's update from disk, in each of its pause modes. An engine whose load fails stays paused: it is
     * replaced, never continued. A cache is dropped before and after the load, except in place: the requests that stand still
     * keep theirs, which the older weights computed, and with them the engine's prefix cache keeps all that it holds.
     *
     * @see <a href="https://github.com/THUDM/slime">slime, sglang_engine.py</a>
     */
    @Override
    public void standStill(PauseMode pause, Duration deadline) {
        client.pauseGeneration(pause, deadline);
        if (pause != PauseMode.IN_PLACE) {
            flush();
        }
    }

    @Override
    public void release(Set<MemoryTag> tags, Duration deadline) {
        client.releaseMemory(tags, deadline);
    }

    @Override
    public void resume(Set<MemoryTag> tags, Duration deadline) {
        client.resumeMemory(tags, deadline);
    }

    @Override
    public List<String> put(WeightSource source, boolean dropsCache, Duration deadline) {
        WeightUpdate update = WeightUpdate.of(source.directory(), Integer.toString(source.version()));
        WeightUpdate.Outcome outcome = client.updateWeightsFromDisk(
                // A stock engine that flushes beside live requests dies.
                dropsCache ? update : update.keepingCache(), deadline);
        if (!outcome.success()) {
            throw new WeightLoadException("the engine refused version %d in %s: %s"
                    .formatted(source.version(), source.directory(), outcome.message()));
        }
        return List.of("success");
    }

    @Override
    public List<String> goOn(int version) {
        String label = Integer.toString(version);
        String held = client.modelInfo().weightVersion();
        if (!label.equals(held)) {
            throw new WeightLoadException(
                    "the engine accepted version " + label + " but says that it holds '" + held + "'");
        }
        client.continueGeneration();
        return List.of("model_info.weight_version");
    }

    private void flush() {
        for (int attempt = 1; attempt <= FLUSH_ATTEMPTS; attempt++) {
            if (client.flushCache(FLUSH_WAIT)) {
                return;
            }
            // Retracted ones too, since SGLang 0.5.15 refuses while they wait: they go on from what their replies hold.
            client.abortAll();
        }
        throw new WeightLoadException(
                "requests still run after a pause and " + FLUSH_ATTEMPTS + " attempts to flush the cache");
    }
}
