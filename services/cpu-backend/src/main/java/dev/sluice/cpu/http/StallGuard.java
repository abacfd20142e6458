package dev.sluice.cpu.http;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Breaks the connection to a client that takes nothing of its reply for too long. A blocked write ends when its thread is
 * interrupted, which closes the channel.
 */
final class StallGuard implements AutoCloseable {
    /** A reply goes out in pieces of this many bytes, each with the whole time: slow is not stalled. */
    private static final int PIECE_BYTES = 64 << 10;

    private final Duration longestStall;
    private final ScheduledThreadPoolExecutor clock = new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().daemon().name("stall-guard").factory());

    StallGuard(Duration longestStall) {
        this.longestStall = longestStall;
        clock.setRemoveOnCancelPolicy(true);
    }

    OutputStream guard(OutputStream out) {
        return new Guarded(out);
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }

    private final class Guarded extends OutputStream {
        private final OutputStream out;

        private Guarded(OutputStream out) {
            this.out = out;
        }

        @Override
        public void write(int one) throws IOException {
            write(new byte[] {(byte) one}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            for (int start = 0; start < length; start += PIECE_BYTES) {
                int from = offset + start;
                int count = Math.min(PIECE_BYTES, length - start);
                within(() -> out.write(bytes, from, count));
            }
        }

        @Override
        public void flush() throws IOException {
            within(out::flush);
        }

        @Override
        public void close() throws IOException {
            within(out::close);
        }

        private void within(Writing writing) throws IOException {
            Thread writer = Thread.currentThread();
            Future<?> alarm = clock.schedule(writer::interrupt, longestStall.toMillis(), TimeUnit.MILLISECONDS);
            try {
                writing.write();
            } catch (ClosedByInterruptException e) {
                throw new InterruptedIOException("the client took nothing for " + longestStall);
            } finally {
                if (!alarm.cancel(false)) {
                    // It may have come just after the write: the thread goes on with a clean flag.
                    Thread.interrupted();
                }
            }
        }
    }

    @FunctionalInterface
    private interface Writing {
        void write() throws IOException;
    }
}
