package dev.sluice.cli.checkpoint;

import dev.sluice.checkpoint.CheckpointFormat;

/** Which way a conversion goes. */
enum Direction {
    TO_TORCH_DIST(CheckpointFormat.TORCH_DIST),
    TO_HUGGING_FACE(CheckpointFormat.HUGGING_FACE);

    private final CheckpointFormat target;

    Direction(CheckpointFormat target) {
        this.target = target;
    }

    CheckpointFormat target() {
        return target;
    }
}
