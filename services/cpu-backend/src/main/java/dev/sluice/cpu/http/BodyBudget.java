package dev.sluice.cpu.http;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Bounds the memory that request bodies take, each and all together. Safe for many threads. */
final class BodyBudget {
    /** Smaller bodies are not counted: a call costs as much anyway. */
    private static final int FREE_BYTES = 4 << 10;

    private static final int UNIT_BYTES = 1 << 10;
    /** Of a body that is too long, read and thrown away, so that its sender reads the refusal instead of a broken pipe. */
    private static final long DISCARDED_BYTES = 256L << 20;

    private static final Duration WAIT = Duration.ofSeconds(30);

    private final long bodyLimitBytes;
    private final Semaphore units;

    /** @param bodyLimitBytes longest body; all together may have an eighth of the heap, and at least one body of that length */
    BodyBudget(long bodyLimitBytes) {
        this.bodyLimitBytes = bodyLimitBytes;
        long bytes = Math.max(bodyLimitBytes, Runtime.getRuntime().maxMemory() / 8);
        this.units = new Semaphore(units(bytes));
    }

    /** What became of reading a body. */
    sealed interface Reading {
        /** All of it; to be given back when the call is over. */
        @SuppressWarnings("ArrayRecordComponent")
        record Whole(byte[] body, int units) implements Reading {}

        record TooLong() implements Reading {}

        /** Too many bodies are being served. */
        record NoRoom() implements Reading {}
    }

    /**
     * Reads a body; one that says beforehand that it is too long is never held.
     *
     * @param announcedBytes its length; -1 where the client did not say
     */
    Reading read(InputStream in, long announcedBytes) throws IOException, InterruptedException {
        if (announcedBytes > bodyLimitBytes) {
            discard(in);
            return new Reading.TooLong();
        }
        long most = announcedBytes < 0 ? bodyLimitBytes : announcedBytes;
        int taken = most <= FREE_BYTES ? 0 : units(most);
        if (!units.tryAcquire(taken, WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
            return new Reading.NoRoom();
        }
        try {
            byte[] body = in.readNBytes(Math.toIntExact(bodyLimitBytes + 1));
            if (body.length <= bodyLimitBytes) {
                // What a client did not announce is known now.
                int needed = body.length <= FREE_BYTES ? 0 : Math.min(taken, units(body.length));
                units.release(taken - needed);
                taken = 0;
                return new Reading.Whole(body, needed);
            }
        } finally {
            units.release(taken);
        }
        discard(in);
        return new Reading.TooLong();
    }

    void giveBack(Reading.Whole body) {
        units.release(body.units());
    }

    private static void discard(InputStream in) throws IOException {
        byte[] buffer = new byte[1 << 16];
        long discarded = 0;
        int read = 0;
        while (read >= 0 && discarded < DISCARDED_BYTES) {
            discarded += read;
            read = in.read(buffer);
        }
    }

    private static int units(long bytes) {
        return Math.toIntExact(Math.min(Integer.MAX_VALUE, (bytes + UNIT_BYTES - 1) / UNIT_BYTES));
    }
}
