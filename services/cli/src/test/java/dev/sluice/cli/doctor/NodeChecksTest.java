package dev.sluice.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.cli.CommandFailure;
import dev.sluice.domain.memory.DiskSpace;
import dev.sluice.events.Backend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeChecksTest {
    private static final double GIB = 1L << 30;

    @TempDir
    private Path directory;

    @BeforeEach
    void makeDataRoot() throws IOException {
        Files.createDirectories(directory.resolve("data"));
    }

    @Test
    void aHostSeesTheMarksThatOthersLeftAndLeavesNoneUnasked() {
        look("node-0", Clock.systemUTC(), 3, true);
        look("node-1", Clock.systemUTC(), 3, true);

        List<Finding> third = look("node-2", Clock.systemUTC(), 3, false);

        assertThat(third.get(1).found()).isEqualTo("marks of node-0, node-1 are seen");
        assertThat(directory.resolve("data/doctor")).isDirectoryNotContaining("glob:**node-2*");
    }

    @Test
    void aHostWhoseMarkIsNotSeenIsMissed() {
        look("node-0", Clock.systemUTC(), 3, true);

        Finding alone = look("node-0", Clock.systemUTC(), 3, false).get(1);
        look("node-0", Clock.systemUTC(), 3, true);
        Finding half = look("node-1", Clock.systemUTC(), 3, false).get(1);

        assertThat(alone).isInstanceOf(Finding.Warning.class);
        assertThat(alone.mending()).contains("sluice doctor --mark");
        assertThat(half.found()).isEqualTo("marks of node-0 are seen, of 3 nodes");
    }

    @Test
    void nothingIsLeftWhereNobodyAskedForAMark() {
        look("node-0", Clock.systemUTC(), 1, false);

        assertThat(directory.resolve("data")).isEmptyDirectory();
    }

    @Test
    void aClockThatIsOffIsNamedWithItsHostByEveryOtherHost() {
        Clock late = Clock.fixed(Instant.now().minus(Duration.ofMinutes(5)), ZoneOffset.UTC);
        Clock early = Clock.offset(Clock.systemUTC(), Duration.ofSeconds(10));
        look("node-0", late, 2, true);

        Finding seen = look("node-1", Clock.systemUTC(), 2, false).get(2);
        Finding own = new SharedFolderCheck(early, "node-1")
                .look(Orders.node(directory))
                .get(2);

        assertThat(seen).isInstanceOf(Finding.Failed.class);
        assertThat(seen.found()).startsWith("node-0 is 300.").contains("behind the clock of the data root's");
        assertThat(own.found()).contains("node-0"); // the worst of all
    }

    @Test
    void aDataRootThatCannotBeWrittenFails() throws IOException {
        Files.delete(directory.resolve("data"));
        Files.writeString(directory.resolve("data"), "a file");

        List<Finding> findings = look("node-0", Clock.systemUTC(), 1, true);

        assertThat(findings).singleElement().isInstanceOf(Finding.Failed.class);
    }

    /** GLM-4.7-Flash as its plan counts it: 29,943,390,976 parameters, 2 bytes each as weights and 14 in a cut. */
    @Test
    void theDiskIsHeldAgainstModelVersionsAndCuts() {
        DiskSpace space = new DiskSpace(2 * 29_943_390_976.0, 14 * 29_943_390_976.0, 2 * 29_943_390_976.0);
        double weights = 2 * 29_943_390_976.0 / GIB;
        double cut = 14 * 29_943_390_976.0 / GIB;
        Path root = Path.of("/data");

        assertThat(DiskCheck.dataRoot(root, 4 * weights + 4 * cut + 1, space, 3))
                .isInstanceOf(Finding.Ok.class);
        assertThat(DiskCheck.dataRoot(root, 4 * weights + 4 * cut - 1, space, 3))
                .isInstanceOf(Finding.Warning.class);
        assertThat(DiskCheck.dataRoot(root, 4 * weights + cut - 1, space, 3)).isInstanceOf(Finding.Failed.class);
    }

    @Test
    void sharedMemoryOfAContainerWithoutOptionsFails() {
        assertThat(LimitsCheck.sharedMemory(64.0 / 1024)).isInstanceOf(Finding.Failed.class);
        assertThat(LimitsCheck.sharedMemory(4)).isInstanceOf(Finding.Warning.class);
        assertThat(LimitsCheck.sharedMemory(64)).isInstanceOf(Finding.Ok.class);
    }

    @Test
    void outgoingPortsThatReachOursAreAWarning() {
        assertThat(PortsCheck.outgoing("32768\t60999\n")).isInstanceOf(Finding.Ok.class);
        assertThat(PortsCheck.outgoing("1024\t65535\n")).isInstanceOf(Finding.Warning.class);
    }

    @Test
    void hostMemoryIsHeldAgainstThePlan() {
        assertThat(MachineCheck.memory(2000, 791)).isInstanceOf(Finding.Ok.class);
        assertThat(MachineCheck.memory(500, 791).found()).isEqualTo("500.0 GiB available, 791.0 GiB needed");
    }

    @Test
    void aBrokerThatListensNowhereIsNamed() {
        int port = freePort();
        Wishes wishes = new Wishes(
                null,
                List.of(),
                Backend.CPU,
                List.of(),
                List.of(),
                directory,
                directory,
                "127.0.0.1:" + port,
                1,
                0,
                null,
                true,
                false);

        Finding finding =
                new BrokerCheck().look(new Node(wishes.order(Map.of()))).getFirst();

        assertThat(finding).isInstanceOf(Finding.Failed.class);
        assertThat(finding.found()).contains("127.0.0.1:" + port);
    }

    @Test
    void whatServicesReadIsWhatIsChecked() {
        Node.Order order = Orders.wishes(null, directory, null, 1, false)
                .order(Map.of(
                        "SLUICE_ROLLOUT_ENGINE_COMMAND", "/opt/sglang/bin/python3,-m,sglang.launch_server",
                        "SLUICE_TRAINER_WORKER_GPU_COMMAND", "/opt/a\\,b/bin/torchrun"));

        assertThat(order.engine()).containsExactly("/opt/sglang/bin/python3", "-m", "sglang.launch_server");
        assertThat(order.worker()).containsExactly("/opt/a,b/bin/torchrun");
    }

    @Test
    void severalNodesNeedToKnowWhereTheyMeet() {
        assertThatThrownBy(() -> new Node.Place(2, 0, null))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("--master HOST:PORT");
        assertThatThrownBy(() -> new Node.Place(2, 2, "a:1")).hasMessageContaining("--node-rank 2");
    }

    private List<Finding> look(String host, Clock clock, int nodes, boolean mark) {
        Node node = new Node(Orders.wishes(null, directory, null, nodes, mark).order(Map.of()));
        return new SharedFolderCheck(clock, host).look(node);
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
