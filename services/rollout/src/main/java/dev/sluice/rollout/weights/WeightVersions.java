package dev.sluice.rollout.weights;

import dev.sluice.checkpoint.Manifest;
import dev.sluice.events.WeightEvent.WeightDelta;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.rollout.core.Core;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
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
    private final LocalWeights local;
    private final BooleanSupplier loading;
    private final Runnable onChange;
    /** The version whose files are being brought to this host; nothing is loaded from them meanwhile. */
    private boolean bringing;

    private int attempts;
    private @Nullable WeightsPublished newest;
    private @Nullable WeightSource loadable;
    private @Nullable String trouble;

    /**
     * @param objection what is wrong with a path that an event names, if anything
     * @param local the files of this host
     * @param loading whether an engine is loading a version now
     * @param onChange runs whenever another version can be loaded, or can come from the worker alone
     */
    public WeightVersions(
            Core core,
            Function<String, Optional<String>> objection,
            LocalWeights local,
            BooleanSupplier loading,
            Runnable onChange) {
        this.core = core;
        this.objection = objection;
        this.local = local;
        this.loading = loading;
        this.onChange = onChange;
    }

    /** A version was published; one of an older epoch or an older version is none of ours. */
    public void published(WeightsPublished event) {
        WeightsPublished known = newest;
        if (known != null && (event.epoch() < known.epoch() || event.version() <= known.version())) {
            return;
        }
        newest = event;
        trouble = null;
        String directory = event.directory();
        if (directory == null) {
            onChange.run();
        } else if (event.version() == 0) {
            // The source directory: what an engine holds after its start.
            loadable = new WeightSource(0, directory);
            onChange.run();
        } else {
            attempts = 0;
            bring();
        }
    }

    /** To be called whenever an engine has ended loading: what waited for that goes on. */
    public void loadEnded() {
        bring();
    }

    /** The newest published version, verified or not; 0 while none is known, because engines start with the source. */
    public int newestVersion() {
        return newest == null ? 0 : newest.version();
    }

    /** Whether the newest published version has no files: the worker alone can put it into an engine. Engines start with version 0. */
    public boolean newestHasNoFiles() {
        return newest != null && newest.version() > 0 && newest.directory() == null;
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

    /** Verifies the newest version's files, and brings them to this host where they come as a delta. */
    private void bring() {
        WeightsPublished event = newest;
        if (event == null || event.directory() == null || bringing || newestIsLoadable()) {
            return;
        }
        boolean patches = event.delta() != null;
        if (patches && loading.getAsBoolean()) {
            return; // an engine reads the files that are to be patched; it says when it has
        }
        bringing = true;
        loadable = patches ? null : loadable;
        core.background("verify-weights-" + event.version(), () -> check(event), (source, failure) -> {
            bringing = false;
            if (newest != event) {
                bring(); // a newer one has come
            } else if (source != null) {
                LOG.info("weights are verified runId={} weightVersion={}", event.runId(), event.version());
                trouble = null;
                loadable = source;
                onChange.run();
            } else {
                trouble = "version " + event.version() + " cannot be verified: "
                        + (failure == null ? "no files" : failure.getMessage());
                LOG.warn("runId={} weightVersion={} error={}", event.runId(), event.version(), trouble);
                Duration delay = RETRY_DELAYS.get(Math.min(attempts++, RETRY_DELAYS.size() - 1));
                core.after(delay, this::bring);
            }
        });
    }

    private WeightSource check(WeightsPublished event) throws IOException {
        WeightDelta delta = event.delta();
        if (delta != null && local.holds(delta.base())) {
            check(delta.directory(), delta.manifestSha256());
            return local.patched(event.version(), Path.of(delta.directory()));
        }
        String directory = Objects.requireNonNull(event.directory());
        check(directory, event.manifestSha256());
        return delta == null
                ? new WeightSource(event.version(), directory)
                : local.copied(event.version(), Path.of(directory));
    }

    private void check(String directory, @Nullable String manifestSha256) throws IOException {
        Optional<String> wrong = objection.apply(directory);
        if (wrong.isPresent()) {
            throw new IOException(wrong.get());
        }
        String found = Manifest.verify(Path.of(directory));
        if (!found.equals(manifestSha256)) {
            throw new IOException("%s in %s has the sha-256 %s; the trainer announced %s"
                    .formatted(Manifest.FILE, directory, found, manifestSha256));
        }
    }
}
