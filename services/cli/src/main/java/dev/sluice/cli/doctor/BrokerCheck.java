package dev.sluice.cli.doctor;

import static dev.sluice.cli.doctor.Need.EVERY_BACKEND;

import dev.sluice.cli.doctor.Finding.Failed;
import dev.sluice.cli.doctor.Finding.NotChecked;
import dev.sluice.cli.doctor.Finding.Ok;
import dev.sluice.cli.doctor.Finding.Warning;
import dev.sluice.events.Topics;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.KafkaUnavailableException;
import dev.sluice.kafka.StateReader;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Whether the broker can be reached, and how this clock stands beside those of the services that write to it. */
final class BrokerCheck implements Check {
    private static final Duration CONNECT = Duration.ofSeconds(3);
    private static final Duration READ = Duration.ofSeconds(20);
    /** What was written that far in our future was written by a clock ahead of ours. */
    private static final Duration AHEAD = Duration.ofSeconds(2);

    @Override
    public String doing() {
        return "asking the broker";
    }

    @Override
    public List<Finding> look(Node node) {
        return node.order()
                .bootstrapServers()
                .map(BrokerCheck::ask)
                .orElseGet(() -> List.of(new NotChecked(
                        "broker",
                        EVERY_BACKEND,
                        "none runs in the work directory; give --bootstrap HOST:PORT for one that runs elsewhere")));
    }

    private static List<Finding> ask(String servers) {
        for (String server : servers.split(",")) {
            int colon = server.lastIndexOf(':');
            try (Socket socket = new Socket()) {
                socket.connect(
                        new InetSocketAddress(
                                server.substring(0, colon), Integer.parseInt(server.substring(colon + 1))),
                        (int) CONNECT.toMillis());
                return List.of(new Ok("broker", EVERY_BACKEND, server + " accepts connections"), clocks(servers));
            } catch (IOException | IllegalArgumentException e) {
                // The next one may.
            }
        }
        return List.of(new Failed(
                "broker",
                EVERY_BACKEND,
                servers + " does not accept connections within " + CONNECT.toSeconds() + " s",
                "start it, open the port to this node, or correct the address"));
    }

    private static Finding clocks(String servers) {
        String subject = "services' clocks";
        Map<String, Instant> newest = new ConcurrentHashMap<>();
        try (StateReader reader = StateReader.start(
                new KafkaConnection(servers, "sluice-doctor"),
                List.of(Topics.INSTANCES),
                record -> newest.put(record.source(), record.time()))) {
            reader.awaitCaughtUp(READ);
        } catch (KafkaUnavailableException | IllegalStateException e) {
            return new NotChecked(subject, EVERY_BACKEND, String.valueOf(e.getMessage()));
        }
        Instant now = Instant.now();
        return newest.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(last -> clock(subject, last.getKey(), Duration.between(now, last.getValue())))
                .orElseGet(() -> new NotChecked(subject, EVERY_BACKEND, "no service has written to this broker yet"));
    }

    private static Finding clock(String subject, String source, Duration ahead) {
        return ahead.compareTo(AHEAD) > 0
                ? new Warning(
                        subject,
                        EVERY_BACKEND,
                        "%s wrote %.1f s in this host's future".formatted(source, ahead.toMillis() / 1000.0),
                        "run chrony or systemd-timesyncd on all hosts")
                : new Ok(subject, EVERY_BACKEND, "none is ahead of this host's");
    }
}
