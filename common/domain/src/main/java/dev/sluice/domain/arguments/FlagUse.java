package dev.sluice.domain.arguments;

/** Whether a request may set a flag of its own, and if not, why and what to do instead. */
sealed interface FlagUse {
    /** A request may set it. */
    record Free() implements FlagUse {}

    /**
     * A key of the request says it.
     *
     * @param path dotted path of the key
     */
    record Key(String path) implements FlagUse {}

    /** A request may not set it. */
    enum Closed implements FlagUse {
        MODEL("follows from the model's config.json", "remove it"),
        PLANNER("is always written by the planner", "remove it"),
        LAUNCH("belongs to the service that starts the program", "remove it"),
        PATH(
                "makes the program open files of its own choice",
                "remove it; paths of a request are model, data and checkpoints"),
        CODE("makes the program run other code or another model than the planned one", "remove it"),
        NETWORK("makes the program open ports or call other hosts", "remove it"),
        SECRET(
                "is a secret, and requests are kept for ever",
                "remove it; the service that starts the program holds secrets"),
        OTHER("is not among the flags that a request may set", "remove it");

        final String why;
        final String mend;

        Closed(String why, String mend) {
            this.why = why;
            this.mend = mend;
        }
    }

    static FlagUse parse(String column) {
        if (column.equals("free")) {
            return new Free();
        }
        if (column.startsWith("key:")) {
            return new Key(column.substring("key:".length()));
        }
        return Closed.valueOf(column.toUpperCase(java.util.Locale.ROOT));
    }
}
