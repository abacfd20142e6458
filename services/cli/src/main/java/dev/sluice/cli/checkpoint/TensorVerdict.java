package dev.sluice.cli.checkpoint;

/**
 * Whether a tensor is the same in two checkpoints.
 *
 * @param detail what differs, or what is to be known about an equal one; may be empty
 */
record TensorVerdict(String name, Kind kind, String detail) {
    /** From the best to the worst. */
    enum Kind {
        EQUAL("byte for byte"),
        SAME_VALUES("the same values in another type"),
        ROUNDED("the other's values rounded to a shorter type"),
        DIFFERENT("different");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        String words() {
            return words;
        }
    }

    boolean equal() {
        return kind != Kind.DIFFERENT;
    }
}
