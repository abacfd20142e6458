package dev.sluice.checkpoint;

import java.io.IOException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** There is no room for what is to be written. */
public final class DiskFullException extends CheckpointException {
    private static final long serialVersionUID = 1L;

    /** What the C library calls ENOSPC, EDQUOT and EFBIG: full, or full for this user or process. */
    private static final Set<String> REASONS =
            Set.of("No space left on device", "Disk quota exceeded", "File too large");

    DiskFullException(String message) {
        super(message);
    }

    /** Whether something failed because the file system, a quota or a limit had no room for it. */
    public static boolean isReasonFor(Throwable failure) {
        for (@Nullable Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof DiskFullException
                    || cause instanceof IOException && REASONS.contains(String.valueOf(cause.getMessage()))) {
                return true;
            }
        }
        return false;
    }
}
