package dev.sluice.domain.shell;

/** Bounds of one reading, so that no text can keep it busy or fill the memory. */
final class Limits {
    static final int SCRIPT_CHARACTERS = 1 << 20;
    static final int SOURCED_FILES = 16;
    static final int SOURCE_DEPTH = 8;
    static final int NESTING = 100;
    static final int CALL_DEPTH = 16;
    static final int VALUE_CHARACTERS = 64 << 10;
    static final int STEPS = 200_000;

    /** Characters that all expansions of one reading may write together. */
    static final long EXPANDED_CHARACTERS = 32L << 20;

    static final int FIELDS = 20_000;

    /** Words of all commands and arrays of one reading together. */
    static final int ALL_FIELDS = 500_000;

    /** Commands that are joined by {@code &&} and {@code ||}. */
    static final int CHAINED = 500;

    private long characters;
    private int fields;
    private int steps;
    private int sources;

    /** Counts one statement. */
    void step(Place place) {
        if (++steps > STEPS) {
            throw new Unreadable(
                    place, "the script takes more than %,d steps".formatted(STEPS), "write the launch line out");
        }
    }

    /** Counts an expanded text. */
    void expand(long length, Place place) {
        if (length > VALUE_CHARACTERS) {
            throw new Unreadable(
                    place,
                    "a value expands to more than %,d characters".formatted(VALUE_CHARACTERS),
                    "write the value out");
        }
        work(length, place);
    }

    /** Counts characters that are looked at, each time that they are. */
    void work(long length, Place place) {
        characters += length;
        if (characters > EXPANDED_CHARACTERS) {
            throw new Unreadable(
                    place,
                    "all values together expand to more than %,d characters".formatted(EXPANDED_CHARACTERS),
                    "write the launch line out");
        }
    }

    /** Counts the words that one command or array holds. */
    void fields(int count, Place place) {
        fields += count;
        if (count > FIELDS || fields > ALL_FIELDS) {
            throw new Unreadable(
                    place,
                    "a command or an array has more than %,d words, or all have more than %,d"
                            .formatted(FIELDS, ALL_FIELDS),
                    "write fewer");
        }
    }

    /** Counts a sourced file. */
    void source(int depth, Place place) {
        if (++sources > SOURCED_FILES || depth > SOURCE_DEPTH) {
            throw new Unreadable(
                    place,
                    "the script sources more than %d files, or %d deep".formatted(SOURCED_FILES, SOURCE_DEPTH),
                    "put what it needs into one file");
        }
    }
}
