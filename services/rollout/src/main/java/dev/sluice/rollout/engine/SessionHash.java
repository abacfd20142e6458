package dev.sluice.rollout.engine;

import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * How much a session belongs to a place: each session goes to the place where this is largest. Nobody keeps a list, every
 * instance finds the same, and when a place comes or goes only its own sessions move.
 *
 * @see <a href="https://en.wikipedia.org/wiki/Rendezvous_hashing">rendezvous hashing</a>
 */
public final class SessionHash {
    private SessionHash() {}

    /** Evenly spread over all 64 bits. */
    public static long of(String session, String place) {
        UUID digest = UUID.nameUUIDFromBytes((session + '\0' + place).getBytes(StandardCharsets.UTF_8));
        // Each half has bits that all UUIDs share, at places where the other half has none.
        return digest.getMostSignificantBits() ^ digest.getLeastSignificantBits();
    }
}
