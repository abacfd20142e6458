package dev.sluice.rollout.engine;

import dev.sluice.rollout.weights.WeightSource;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.MemoryTag;
import dev.sluice.sglang.PauseMode;
import dev.sluice.sglang.Speculation;
import dev.sluice.sglang.StreamedSamples;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;

/** An engine whose replies are counted by what speculation brought. Thread-safe. */
final class CountedEngine implements EngineApi {
    private final EngineApi engine;
    private final AtomicReference<DraftCounts> drafts = new AtomicReference<>(DraftCounts.NONE);

    CountedEngine(EngineApi engine) {
        this.engine = engine;
    }

    /** What all replies so far brought. */
    DraftCounts drafts() {
        return drafts.get();
    }

    @Override
    public List<GenerateResponse> generate(List<GenerateRequest> requests, Duration deadline) {
        List<GenerateResponse> replies = engine.generate(requests, deadline);
        replies.forEach(this::count);
        return replies;
    }

    @Override
    public void stream(List<GenerateRequest> requests, StreamedSamples samples, Duration deadline) {
        engine.stream(requests, samples, deadline);
        for (int i = 0; i < requests.size(); i++) {
            samples.at(i).ifPresent(sample -> count(sample.response()));
        }
    }

    private void count(GenerateResponse reply) {
        Speculation speculation = reply.meta().speculation();
        if (speculation != null) {
            drafts.updateAndGet(counts -> new DraftCounts(
                    counts.verifications() + speculation.verifyCount(),
                    counts.accepted() + speculation.acceptedDrafts()));
        }
    }

    @Override
    public void abort(String ridPrefix) {
        engine.abort(ridPrefix);
    }

    @Override
    public boolean healthy(Duration deadline) {
        return engine.healthy(deadline);
    }

    @Override
    public Optional<Progress> progress(Duration deadline) {
        return engine.progress(deadline);
    }

    @Override
    public Optional<Pressure> pressure(Duration deadline) {
        return engine.pressure(deadline);
    }

    @Override
    public Optional<String> checksum(Duration deadline) {
        return engine.checksum(deadline);
    }

    @Override
    public void standStill(PauseMode pause, Duration deadline) {
        engine.standStill(pause, deadline);
    }

    @Override
    public void release(Set<MemoryTag> tags, Duration deadline) {
        engine.release(tags, deadline);
    }

    @Override
    public void resume(Set<MemoryTag> tags, Duration deadline) {
        engine.resume(tags, deadline);
    }

    @Override
    public List<String> put(WeightSource source, boolean dropsCache, Duration deadline) {
        return engine.put(source, dropsCache, deadline);
    }

    @Override
    public List<String> goOn(int version) {
        return engine.goOn(version);
    }
}
