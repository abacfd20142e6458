package dev.sluice.rollout.weights;

import dev.sluice.checkpoint.Manifest;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.rollout.core.Core;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The weight versions of one run. Only the newest matters; it becomes loadable when its files are verified, once for all
 * engines of this instance. Used on the core's thread.
 */
public final class WeightVersions {
    private static final Logger LOG = LoggerFactory.getLogger(WeightVersions.class);
    /** Files on shared storage can arrive after the event that names them. */
    private static final List<Duration> RETRY_DELAYS =
            List.of(Duration.ofMillis(500), Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(5));

    private final Core core;
    private final Function<String, Optional<String>> objection;
    private final Runnable onLoadable;
    private @Nullable WeightsPublished newest;
    private @Nullable WeightSource loadable;
    private @Nullable String trouble;

    /**
     * @param objection what is wrong with a path that an event names, if anything
     * @param onLoadable runs whenever another version can be loaded
     */
    public WeightVersions(Core core, Function<String, Optional<String>> objection, Runnable onLoadable) {
        this.core = core;
        this.objection = objection;
        this.onLoadable = onLoadable;
    }

    /** A version was published; one of an older epoch or an older version is none of ours. */
    public void published(WeightsPublished event) {
        WeightsPublished known = newest;
        if (known != null && (event.epoch() < known.epoch() || event.version() <= known.version())) {
            return;
        }
        newest = event;
        trouble = null;
        if (event.version() == 0) {
            // The source directory: what an engine holds after its start.
            loadable = new WeightSource(0, event.directory());
            onLoadable.run();
        } else {
            verify(event, 0);
        }
    }

    /** The newest published version, verified or not; 0 while none is known, because engines start with the source. */
    public int newestVersion() {
        return newest == null ? 0 : newest.version();
    }

    /** Whether the newest published version can be loaded now. */
    public boolean newestIsLoadable() {
        return newestVersion() == loadableVersion();
    }

    private int loadableVersion() {
        return loadable == null ? 0 : loadable.version();
    }

    /** The newest verified version; none while engines need nothing but the source. */
    public Optional<WeightSource> loadable() {
        return Optional.ofNullable(loadable);
    }

    /** Why the newest version cannot be loaded yet, if it cannot. */
    public Optional<String> trouble() {
        return Optional.ofNullable(trouble);
    }

    private void verify(WeightsPublished event, int attempt) {
        core.background("verify-weights-" + event.version(), () -> check(event), (none, failure) -> {
            if (newest != event) {
                return; // a newer one is on its way
            }
            if (failure == null) {
                LOG.info("weights are verified runId={} weightVersion={}", event.runId(), event.version());
                trouble = null;
                loadable = new WeightSource(event.version(), event.directory());
                onLoadable.run();
                return;
            }
            trouble = "version " + event.version() + " cannot be verified: " + failure.getMessage();
            LOG.warn("runId={} weightVersion={} error={}", event.runId(), event.version(), trouble);
            Duration delay = RETRY_DELAYS.get(Math.min(attempt, RETRY_DELAYS.size() - 1));
            core.after(delay, () -> {
                if (newest == event) {
                    verify(event, attempt + 1);
                }
            });
        });
    }

    private Void check(WeightsPublished event) throws IOException {
        Optional<String> wrong = objection.apply(event.directory());
        if (wrong.isPresent()) {
            throw new IOException(wrong.get());
        }
        String found = Manifest.verify(Path.of(event.directory()));
        if (!found.equals(event.manifestSha256())) {
            throw new IOException("%s in %s has the sha-256 %s; the trainer announced %s"
                    .formatted(Manifest.FILE, event.directory(), found, event.manifestSha256()));
        }
        return null;
    }
}
