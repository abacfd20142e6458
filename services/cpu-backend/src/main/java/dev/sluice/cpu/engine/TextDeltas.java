package dev.sluice.cpu.engine;

import java.util.List;

/**
 * Cuts a growing text into pieces that add up to it. What may still change is held back: half a character, and what may turn
 * out to be the beginning of a stop text.
 */
final class TextDeltas {
    private static final char HALF_CHARACTER = '\uFFFD';

    private final List<String> stops;
    private int sent;

    /** @param stops texts that will be cut off where they are met; empty where they stay */
    TextDeltas(List<String> stops) {
        this.stops = stops;
    }

    /** What of the whole text so far is new and certain. */
    String next(String whole, boolean ended) {
        int end = ended ? whole.length() : certain(whole);
        if (end <= sent) {
            return "";
        }
        String piece = whole.substring(sent, end);
        sent = end;
        return piece;
    }

    private int certain(String whole) {
        int end = whole.length();
        while (end > 0 && whole.charAt(end - 1) == HALF_CHARACTER) {
            end--;
        }
        int least = end;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, end); length > 0; length--) {
                if (whole.startsWith(stop.substring(0, length), end - length)) {
                    least = Math.min(least, end - length);
                    break;
                }
            }
        }
        return least;
    }
}
