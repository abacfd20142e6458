package dev.sluice.converter;

import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Trims the cache at the start, after each conversion and now and then, on a thread of its own: deleting is slow. */
@ApplicationScoped
public class CacheKeeping {
    private static final Logger LOG = LoggerFactory.getLogger(CacheKeeping.class);
    private static final Duration RUNS_UNKNOWN = Duration.ofSeconds(5);

    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("cache-keeping").daemon().factory());
    private final ConversionCache cache;
    private final ConversionsInUse inUse;
    private final ConverterConfig config;
    private volatile BooleanSupplier runsKnown = () -> false;

    CacheKeeping(ConversionCache cache, ConversionsInUse inUse, ConverterConfig config) {
        this.cache = cache;
        this.inUse = inUse;
        this.config = config;
    }

    /** @param runsKnown whether all runs were read: before that a conversion could seem unused */
    void start(BooleanSupplier runsKnown) {
        this.runsKnown = runsKnown;
        long interval = config.sweepInterval().toMillis();
        executor.scheduleWithFixedDelay(this::keep, 0, interval, TimeUnit.MILLISECONDS);
    }

    /** Something new is in the cache. */
    void soon() {
        try {
            executor.execute(this::keep);
        } catch (RejectedExecutionException e) {
            LOG.debug("the service ends");
        }
    }

    private void keep() {
        try {
            cache.sweep(Instant.now());
            if (runsKnown.getAsBoolean()) {
                cache.trim(inUse::uses, Instant.now());
            } else {
                executor.schedule(this::keep, RUNS_UNKNOWN.toSeconds(), TimeUnit.SECONDS);
            }
        } catch (IOException | RuntimeException e) {
            LOG.warn("the cache was not tidied; tried again in {}", config.sweepInterval(), e);
        }
    }

    @PreDestroy
    void close() {
        executor.shutdownNow();
    }
}
