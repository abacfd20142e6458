package dev.sluice.converter;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.events.EventJson;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;

/**
 * Who holds a target, for those who wait for it; it stands in the lock file as JSON.
 *
 * @param instance id of the converter, as its events name it
 * @param since when it took the lock
 */
record LockHolder(long pid, String host, String instance, Instant since) {
    /** A lock file of this size is ours; whatever is larger is not read. */
    static final int MAX_BYTES = 4096;

    private static final LockHolder UNNAMED = new LockHolder(0, "", "", Instant.EPOCH);

    static LockHolder now(String instance) {
        return new LockHolder(ProcessHandle.current().pid(), hostName(), instance, Instant.now());
    }

    byte[] json() {
        try {
            return EventJson.mapper().writeValueAsBytes(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a lock holder that cannot be written: " + this, e);
        }
    }

    /** A holder that has the lock but has not written its name yet, or is no converter, has no name. */
    static LockHolder read(byte[] json) {
        try {
            LockHolder read = EventJson.mapper().readValue(new String(json, StandardCharsets.UTF_8), LockHolder.class);
            return read == null || read.host == null || read.instance == null || read.since == null ? UNNAMED : read;
        } catch (JsonProcessingException e) {
            return UNNAMED;
        }
    }

    /** For people: "converter-2 (process 4711 on node-3), for 12 s". */
    String describe(Instant now) {
        return pid == 0
                ? "a process that has not said its name"
                : "%s (process %d on %s), for %d s"
                        .formatted(
                                instance,
                                pid,
                                host,
                                Math.max(0, Duration.between(since, now).toSeconds()));
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "a host without a name";
        }
    }
}
