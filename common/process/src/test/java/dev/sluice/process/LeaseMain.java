package dev.sluice.process;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** Takes leases in a JVM of its own, prints their ports and waits to be killed. */
final class LeaseMain {
    private LeaseMain() {}

    /** Arguments: directory, number of leases. */
    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
            System.out.println(PortLease.take(Path.of(arguments[0]), 1).port());
        }
        new CountDownLatch(1).await();
    }
}
