package dev.sluice.cpu.http;

/**
 * Bounds what a body of JSON becomes in memory: an empty object of three bytes takes thirty times as much once it is read, a
 * number seven times. Reads no values and does not care whether the text is JSON.
 */
final class JsonSize {
    /** Enough for a batch of 4096 prompts, each with sampling parameters and lists of its own. */
    static final int MAX_CONTAINERS = 1 << 16;

    static final int MAX_STRINGS = 1 << 18;

    private JsonSize() {}

    /**
     * Looks at a whole body.
     *
     * @throws BodyException if it has too many parts
     */
    static void require(byte[] body) {
        int containers = 0;
        int strings = 0;
        boolean inString = false;
        for (int i = 0; i < body.length; i++) {
            byte one = body[i];
            if (inString) {
                if (one == '\\') {
                    i++;
                } else if (one == '"') {
                    inString = false;
                }
            } else if (one == '"') {
                inString = true;
                strings++;
            } else if (one == '[' || one == '{') {
                containers++;
            }
        }
        if (containers > MAX_CONTAINERS || strings > MAX_STRINGS) {
            throw new BodyException("the body has " + containers + " lists and objects and " + strings
                    + " strings; at most " + MAX_CONTAINERS + " and " + MAX_STRINGS + " are read");
        }
    }
}
