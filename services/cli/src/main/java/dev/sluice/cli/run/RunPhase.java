package dev.sluice.cli.run;

import java.util.Locale;

/** Where a run is, as its events tell a client. */
public enum RunPhase {
    REQUESTED,
    PLANNED,
    QUEUED,
    STARTING,
    TRAINING,
    STOPPING,
    SUCCEEDED,
    FAILED,
    CANCELLED,
    REJECTED;

    /** Nothing follows. */
    public boolean isOver() {
        return switch (this) {
            case SUCCEEDED, FAILED, CANCELLED, REJECTED -> true;
            case REQUESTED, PLANNED, QUEUED, STARTING, TRAINING, STOPPING -> false;
        };
    }

    /** As it stands in reports. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
