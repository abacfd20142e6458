package dev.sluice.process;

import java.util.concurrent.CountDownLatch;

/** A child in a JVM of its own that lives by its stdin. */
final class LifeLineMain {
    private LifeLineMain() {}

    public static void main(String[] arguments) throws InterruptedException {
        boolean watched = LifeLine.watchStdin(() -> {
            System.out.println("life line closed");
            System.exit(0);
        });
        System.out.println("watching " + watched);
        new CountDownLatch(1).await();
    }
}
