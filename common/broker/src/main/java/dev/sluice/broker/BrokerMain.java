package dev.sluice.broker;

import dev.sluice.process.LifeLine;
import dev.sluice.process.PidFile;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;

/** The broker as a process: runs until SIGTERM, or until the parent that holds its stdin is gone. */
public final class BrokerMain {
    private static final Duration STOP_DEADLINE = Duration.ofSeconds(8);
    private static final int EXIT_CODE_USAGE = 2;

    private BrokerMain() {}

    public static void main(String[] arguments) {
        try {
            run(BrokerFlags.parse(arguments));
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(EXIT_CODE_USAGE);
        } catch (IOException e) {
            System.err.println("The broker cannot start: " + e.getMessage());
            System.exit(1);
        }
    }

    private static void run(BrokerFlags flags) throws IOException {
        // Before the broker starts: a parent that dies during the start must not leave one behind.
        LifeLine.watchStdin(() -> System.exit(0));
        Broker broker = Broker.start(flags.directory(), flags.port());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(broker, flags), "stop-broker"));
        if (flags.stateFile() != null) {
            PidFile.ofThisProcess(broker.port()).write(flags.stateFile());
        }
        System.out.println("Kafka broker ready at " + broker.bootstrapServers() + ", data in " + flags.directory());
    }

    private static void stop(Broker broker, BrokerFlags flags) {
        Thread.ofPlatform().daemon().name("stop-deadline").start(BrokerMain::haltWhenOverdue);
        try {
            broker.close();
            if (flags.stateFile() != null) {
                Files.deleteIfExists(flags.stateFile());
            }
        } catch (IOException e) {
            System.err.println("The broker did not stop in order: " + e.getMessage());
        }
    }

    private static void haltWhenOverdue() {
        try {
            Thread.sleep(STOP_DEADLINE);
            System.err.println("The broker did not stop within " + STOP_DEADLINE.toSeconds() + " s; it ends at once."
                    + " Acknowledged records are safe, the next start recovers them.");
            Runtime.getRuntime().halt(1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
