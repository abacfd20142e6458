package dev.sluice.converter;

import dev.sluice.events.CheckpointEvent.Direction;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

/** Figures of this converter for Prometheus. */
@ApplicationScoped
public class ConverterFigures {
    private final MeterRegistry registry;
    private final Counter bytes;
    private final Counter hashedBytes;
    private final Counter cacheHits;
    private final Counter damaged;
    private final Counter deleted;
    private final AtomicLong cacheBytes;
    private final AtomicLong cachedConversions;

    ConverterFigures(MeterRegistry registry) {
        this.registry = registry;
        this.bytes = registry.counter("sluice_converter_bytes");
        this.hashedBytes = registry.counter("sluice_converter_hashed_bytes");
        this.cacheHits = registry.counter("sluice_converter_cache_hits");
        this.damaged = registry.counter("sluice_converter_damaged");
        this.deleted = registry.counter("sluice_converter_deleted");
        this.cacheBytes = registry.gauge("sluice_converter_cache_bytes", new AtomicLong());
        this.cachedConversions = registry.gauge("sluice_converter_cache_conversions", new AtomicLong());
    }

    /** How a conversion ended. */
    enum Outcome {
        CONVERTED,
        REUSED,
        FAILED
    }

    void ended(Direction direction, Outcome outcome, Duration took) {
        if (outcome == Outcome.REUSED) {
            cacheHits.increment();
        }
        registry.timer("sluice_converter_conversion", "direction", name(direction), "outcome", name(outcome))
                .record(took);
    }

    void wrote(long moreBytes) {
        bytes.increment(moreBytes);
    }

    void hashed(long moreBytes) {
        hashedBytes.increment(moreBytes);
    }

    /** What was there could not be handed on. */
    void foundDamaged() {
        damaged.increment();
    }

    void deletedOne() {
        deleted.increment();
    }

    void cacheHolds(int conversions, long bytesTogether) {
        cachedConversions.set(conversions);
        cacheBytes.set(bytesTogether);
    }

    private static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
