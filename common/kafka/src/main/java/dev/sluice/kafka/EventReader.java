package dev.sluice.kafka;

import org.jspecify.annotations.Nullable;

/** A running reader of topics, whatever its kind of reading. */
public interface EventReader extends AutoCloseable {
    /** It has delivered, or will from now on deliver, what its kind promises. */
    boolean ready();

    /** Records that were no event of this build. */
    long skipped();

    /** Why the reader stopped by itself, or null while it runs. */
    @Nullable
    Throwable failure();

    /** Runs the action when the reader stops by itself. */
    void onFailure(Runnable action);

    @Override
    void close();
}
