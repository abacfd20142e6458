package dev.sluice.cli.stack;

import dev.sluice.cli.CommandFailure;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** The first port from a wished one that nobody listens on. */
final class FreePort {
    private static final int TRIES = 100;

    private FreePort() {}

    static int from(int wished) {
        for (int port = wished; port < wished + TRIES; port++) {
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException e) {
                // Taken: the next one.
            }
        }
        throw CommandFailure.failed("ports %d to %d on 127.0.0.1 are all taken; stop what listens there"
                .formatted(wished, wished + TRIES - 1));
    }
}
