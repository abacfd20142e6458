package dev.sluice.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PortLeaseTest {
    @TempDir
    Path directory;

    @Test
    void leasesTakenAtOnceNeverShareAPort() throws Exception {
        Callable<PortLease> take = () -> PortLease.take(directory, 3);
        Set<Integer> ports = new HashSet<>();

        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (var lease :
                    threads.invokeAll(IntStream.range(0, 40).mapToObj(i -> take).toList())) {
                int first = lease.get().port();
                ports.addAll(List.of(first, first + 1, first + 2));
            }
        }

        assertThat(ports).hasSize(120).allMatch(port -> port >= 20_000 && port < 32_768);
    }

    @Test
    void leasesOfAnotherProcessAreRespected() throws Exception {
        List<ProcessHandle> others = new ArrayList<>();
        Set<Integer> ports = new HashSet<>();
        try {
            for (int i = 0; i < 2; i++) {
                Process other = new ProcessBuilder(Jvm.command(LeaseMain.class, directory.toString(), "20")).start();
                others.add(other.toHandle());
                for (int lease = 0; lease < 20; lease++) {
                    ports.add(Integer.parseInt(other.inputReader().readLine()));
                }
            }

            for (int lease = 0; lease < 20; lease++) {
                ports.add(PortLease.take(directory, 1).port());
            }

            assertThat(ports).hasSize(60);
        } finally {
            others.forEach(ProcessHandle::destroyForcibly);
        }
    }

    @Test
    void aPortThatSomebodyListensOnIsSkippedAndAClosedLeaseIsFreeAgain() throws IOException {
        PortLease lease = PortLease.take(directory, 1);
        Path file = directory.resolve(lease.port() + ".json");
        assertThat(file).exists();
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress("127.0.0.1", lease.port()));
            lease.close();

            assertThat(file).doesNotExist();
            assertThat(PortLease.isFree(directory, lease.port())).isFalse();
        }
        assertThat(PortLease.isFree(directory, lease.port())).isTrue();
    }

    @Test
    void theLeaseOfADeadProcessIsFree() throws IOException {
        PortLease lease = PortLease.take(directory, 1);
        Path file = directory.resolve(lease.port() + ".json");
        assertThat(PortLease.isFree(directory, lease.port())).isFalse();

        new PidFile(ProcessHandle.current().pid(), lease.port(), Instant.EPOCH).write(file);

        assertThat(PortLease.isFree(directory, lease.port())).isTrue();
        Files.writeString(file, "{");
        assertThat(PortLease.isFree(directory, lease.port())).isTrue();
        PortLease other = PortLease.take(directory, 1);
        assertThat(file).doesNotExist();
        assertThat(directory.resolve(other.port() + ".json")).exists();
    }

    @Test
    void aKeptPortIsLeasedAgainUnlessAnotherHasIt() throws IOException {
        PortLease lease = PortLease.take(directory, 1);

        assertThat(PortLease.takeAt(directory, lease.port())).isEmpty();
        lease.close();
        assertThat(PortLease.takeAt(directory, lease.port()).orElseThrow().port())
                .isEqualTo(lease.port());
    }
}
