package dev.sluice.cli.doctor;

/** Who cannot do without what a check looks at. */
enum Need {
    /** Every run. */
    EVERY_BACKEND,
    /** Runs with {@code backend: gpu} alone. */
    GPU_BACKEND
}
