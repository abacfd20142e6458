package dev.sluice.text.jinja;

/**
 * What one rendering may use. Counted instead of timed, so that the same prompt renders or is refused on every machine.
 *
 * <p>A unit is a character that is read or made; a step of the template and an item of a list cost {@value #STEP_UNITS}.
 */
final class Budget {
    /** Characters of the rendered text; as much as the tokenizer takes at once. */
    static final int MAXIMUM_OUTPUT_CHARACTERS = 16 << 20;

    /** About a second's work, and four copies of the longest output. */
    static final long MAXIMUM_UNITS = 1L << 26;

    /** Nested expressions, statements and macro calls; each takes a few frames of a thread's stack. */
    static final int MAXIMUM_DEPTH = 250;

    static final int STEP_UNITS = 8;

    private long units;
    private int depth;

    void step() {
        charge(STEP_UNITS);
    }

    void items(long count) {
        charge(Math.multiplyExact(Math.min(count, MAXIMUM_UNITS), STEP_UNITS));
    }

    /** To be called before the work is done: what would not fit must not be made. */
    void charge(long amount) {
        units += amount;
        if (units > MAXIMUM_UNITS) {
            throw new TemplateException("the template takes more than " + MAXIMUM_UNITS
                    + " units of work (characters made or read, 8 for each step); shorten the conversation, or the"
                    + " template loops without end");
        }
    }

    String made(String text) {
        charge(text.length());
        return text;
    }

    void enter() {
        step();
        if (++depth > MAXIMUM_DEPTH) {
            throw new TemplateException("expressions and macro calls nest deeper than " + MAXIMUM_DEPTH + " levels");
        }
    }

    void leave() {
        depth--;
    }
}
