package dev.sluice.rollout.engine;

import dev.sluice.rollout.weights.WeightSource;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.MemoryTag;
import dev.sluice.sglang.PauseMode;
import dev.sluice.sglang.StreamedSamples;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What an engine can be asked; every call blocks until its deadline at the latest. */
public interface EngineApi {
    /** Generates all requests in one call; replies have the order of the requests. */
    List<GenerateResponse> generate(List<GenerateRequest> requests, Duration deadline);

    /**
     * The same, read while they grow; returns when all have ended.
     *
     * @param samples gets what comes, and keeps what had come where the call fails
     */
    void stream(List<GenerateRequest> requests, StreamedSamples samples, Duration deadline);

    /** Aborts every request whose rid begins so; what it generated comes with its reply. */
    void abort(String ridPrefix);

    boolean healthy(Duration deadline);

    /** What it is computing; empty where it is too old to say so. */
    Optional<Progress> progress(Duration deadline);

    /** How full its cache is; empty where it does not say so. */
    default Optional<Pressure> pressure(Duration deadline) {
        return Optional.empty();
    }

    /** A fingerprint of the weights it holds; empty where it offers none. Engines of one layout agree on equal weights. */
    Optional<String> checksum(Duration deadline);

    /**
     * Replaces the weights: pause, flush, load, check, continue.
     *
     * @param pause what becomes of requests that run
     * @return what was checked
     * @throws WeightLoadException if the engine may no longer serve
     */
    default List<String> load(WeightSource source, PauseMode pause, Duration deadline) {
        // Pause before swapping weights: otherwise one token mixes two policies.
        standStill(pause, deadline);
        List<String> checked = new ArrayList<>(put(source, pause != PauseMode.IN_PLACE, deadline));
        checked.addAll(goOn(source.version()));
        return List.copyOf(checked);
    }

    /**
     * Stops generation, and drops the cache except in place.
     *
     * @param pause what becomes of requests that run
     * @throws WeightLoadException if requests run on
     */
    void standStill(PauseMode pause, Duration deadline);

    /** Gives memory back: only of an engine that stands still and runs nothing, and only what it has not given back yet. */
    void release(Set<MemoryTag> tags, Duration deadline);

    /** Takes memory again: only what was given back. Weights come back without their values. */
    void resume(Set<MemoryTag> tags, Duration deadline);

    /**
     * Replaces the weights of an engine that stands still.
     *
     * @param dropsCache whether the cache is dropped after it; not where requests stand still in it, nor where it is released
     * @return what was checked
     * @throws WeightLoadException if the engine may no longer serve
     */
    List<String> put(WeightSource source, boolean dropsCache, Duration deadline);

    /**
     * Generation goes on, if the engine says that it holds this version.
     *
     * @return what was checked
     * @throws WeightLoadException if it says otherwise; it stands still then
     */
    List<String> goOn(int version);
}
