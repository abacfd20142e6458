package dev.sluice.cli;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Notices that the broker is gone while a person watches a run: a Kafka client by itself tries again for ever. */
final class BrokerWatch implements AutoCloseable {
    /** A broker that is started again is back sooner. */
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final Duration CONNECT_DEADLINE = Duration.ofSeconds(2);
    private static final int LOOKS = 10;

    private final String bootstrapServers;
    private final Duration patience;
    private final CompletableFuture<String> gone = new CompletableFuture<>();
    private final ScheduledExecutorService looks = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("broker-watch").factory());
    private long seenAt = System.nanoTime();

    private BrokerWatch(String bootstrapServers, Duration patience) {
        this.bootstrapServers = bootstrapServers;
        this.patience = patience;
    }

    /** @param bootstrapServers {@code host:port}, several separated by commas */
    static BrokerWatch start(String bootstrapServers) {
        return start(bootstrapServers, PATIENCE);
    }

    static BrokerWatch start(String bootstrapServers, Duration patience) {
        BrokerWatch watch = new BrokerWatch(bootstrapServers, patience);
        long pause = patience.toMillis() / LOOKS;
        watch.looks.scheduleWithFixedDelay(watch::look, pause, pause, TimeUnit.MILLISECONDS);
        return watch;
    }

    /** Ends with what to tell when no broker has been there for too long. */
    CompletableFuture<String> gone() {
        return gone;
    }

    private void look() {
        for (String address : bootstrapServers.split(",")) {
            if (answers(address.strip())) {
                seenAt = System.nanoTime();
                return;
            }
        }
        if (System.nanoTime() - seenAt > patience.toNanos()) {
            gone.complete("no broker answers at " + bootstrapServers + " any more; start the services again with"
                    + " \"sluice up\", and the run goes on where it was");
        }
    }

    private static boolean answers(String address) {
        int colon = address.lastIndexOf(':');
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1))),
                    (int) CONNECT_DEADLINE.toMillis());
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public void close() {
        looks.shutdownNow();
    }
}
