package dev.sluice.cli.doctor;

import static dev.sluice.cli.doctor.Need.EVERY_BACKEND;
import static dev.sluice.cli.doctor.Need.GPU_BACKEND;

import dev.sluice.cli.doctor.Finding.NotChecked;
import dev.sluice.cli.doctor.Finding.Ok;
import dev.sluice.cli.doctor.Finding.Warning;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Ports that services take, and the name by which other nodes find this one. */
final class PortsCheck implements Check {
    private static final int DASHBOARD = 8080;
    private static final int MEETING = 29_400;
    /** Ports below are leased to engines and workers; Linux gives those above to outgoing connections. */
    private static final int FIRST_OUTGOING = 32_768;

    private static final Path OUTGOING = Path.of("/proc/sys/net/ipv4/ip_local_port_range");

    @Override
    public String doing() {
        return "trying ports";
    }

    @Override
    public List<Finding> look(Node node) {
        return List.of(dashboard(), outgoing(), meeting(), name());
    }

    private static Finding dashboard() {
        return free(DASHBOARD)
                ? new Ok("port " + DASHBOARD, EVERY_BACKEND, "free for the dashboard")
                : new Ok("port " + DASHBOARD, EVERY_BACKEND, "taken; the dashboard takes the next free one");
    }

    private static Finding meeting() {
        return free(MEETING)
                ? new Ok("port " + MEETING, GPU_BACKEND, "free for workers of several nodes to meet at")
                : new Warning(
                        "port " + MEETING,
                        GPU_BACKEND,
                        "taken, and ranks of several nodes meet there",
                        "stop what listens there, or set sluice.trainer.worker.meeting-port");
    }

    private static Finding outgoing() {
        // A whole line at once: a second read of such a file finds its end, wherever the first one stopped.
        try (BufferedReader reader = Files.newBufferedReader(OUTGOING)) {
            return outgoing(String.valueOf(reader.readLine()));
        } catch (IOException e) {
            return new NotChecked("outgoing ports", EVERY_BACKEND, OUTGOING + " is not here");
        }
    }

    static Finding outgoing(String range) {
        String[] bounds = range.strip().split("\\s+");
        if (bounds.length != 2 || !bounds[0].matches("\\d{1,5}")) {
            return new NotChecked(
                    "outgoing ports", EVERY_BACKEND, "%s says \"%s\" here".formatted(OUTGOING, range.strip()));
        }
        String found = String.join(" to ", bounds);
        return Integer.parseInt(bounds[0]) >= FIRST_OUTGOING
                ? new Ok("outgoing ports", EVERY_BACKEND, found)
                : new Warning(
                        "outgoing ports",
                        EVERY_BACKEND,
                        found + ": a connection may take a port that an engine is about to listen on",
                        "sysctl -w net.ipv4.ip_local_port_range=\"32768 60999\"");
    }

    private static Finding name() {
        try {
            InetAddress address = InetAddress.getLocalHost();
            String found = address.getHostName() + " is " + address.getHostAddress();
            return address.isLoopbackAddress()
                    ? new Warning(
                            "host name",
                            GPU_BACKEND,
                            found + ", where no other node finds it",
                            "for several nodes set sluice.trainer.worker.meeting-host and sluice.rollout.engine.meeting-host")
                    : new Ok("host name", GPU_BACKEND, found);
        } catch (UnknownHostException e) {
            return new Warning(
                    "host name",
                    GPU_BACKEND,
                    "the host's name has no address: " + e.getMessage(),
                    "add it to /etc/hosts or DNS; Gloo looks it up even on one node");
        }
    }

    private static boolean free(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
