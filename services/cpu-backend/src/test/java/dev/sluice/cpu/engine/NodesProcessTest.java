package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.SglangClient;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Processes of an engine of several nodes, which live and die together. */
class NodesProcessTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern LISTENING = Pattern.compile("Listening on (http://\\S+)");

    @TempDir
    private Path directory;

    private final List<Process> nodes = new ArrayList<>();
    private int meetingPort;

    @BeforeEach
    void findAMeetingPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            meetingPort = socket.getLocalPort();
        }
    }

    @AfterEach
    void killWhatIsLeft() {
        nodes.forEach(Process::destroyForcibly);
    }

    @Test
    void twoNodesAreOneEngineThatAnswersAtItsFirst() throws Exception {
        Process other = start(1, 2);
        Process head = start(0, 2);
        SglangClient client = new SglangClient(URI.create(address(0)), null);
        String second = address(1);

        assertThat(client.generate(GenerateRequest.ofTokens("r", new int[] {5, 6}, SamplingParams.of(3, 1)), PATIENCE)
                        .outputIds())
                .hasSizeBetween(1, 3);
        assertThat(status(second + "/health")).isEqualTo(200);
        assertThat(status(second + "/health_generate")).isEqualTo(200);
        assertThat(status(second + "/model_info")).isEqualTo(404);
        assertThat(List.of(head, other)).allMatch(Process::isAlive);
    }

    @Test
    void theFirstNodeServesOnlyWhenAllAreThere() throws Exception {
        start(1, 3);
        start(0, 3);
        stranger("GET / HTTP/1.1");
        stranger("node 1 2");
        await().atMost(PATIENCE).until(() -> output(0).contains("Loaded; waiting for node "));
        assertThat(output(0)).doesNotContain("Listening");

        start(2, 3);

        assertThat(address(0)).startsWith("http://127.0.0.1:");
    }

    @Test
    void theLossOfANodeEndsTheFirst() throws Exception {
        Process head = start(0, 2);
        Process other = start(1, 2);
        address(0);

        other.destroyForcibly();

        assertThat(head.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(head.exitValue()).isEqualTo(1);
        assertThat(output(0)).contains("node 1 of 2 was lost");
    }

    @Test
    void theLossOfTheFirstEndsTheOthers() throws Exception {
        Process head = start(0, 2);
        Process other = start(1, 2);
        address(1);

        head.destroyForcibly();

        assertThat(other.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(other.exitValue()).isEqualTo(1);
        assertThat(output(1)).contains("node 0 was lost");
    }

    @Test
    void nodesThatDoNotComeAreNamedWhenTheTimeIsOver() throws Exception {
        Process head = start(0, 3, "--dist-timeout", "2");

        assertThat(head.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(head.exitValue()).isEqualTo(1);
        assertThat(output(0)).contains("node 1, 2 of 3 did not join within 2 s");
    }

    @Test
    void twoNodesOfOneRankAreNoEngine() throws Exception {
        start(0, 3);
        start(1, 3);
        Process twin = start(1, 3);

        await().atMost(PATIENCE).until(() -> nodes.stream().anyMatch(node -> !node.isAlive()));
        assertThat(output(1) + output("twin")).contains("refused: node 0 waits for other nodes of 3");
        assertThat(twin).isNotNull();
    }

    private void stranger(String line) throws IOException {
        await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            try (Socket socket = new Socket("127.0.0.1", meetingPort)) {
                OutputStream out = socket.getOutputStream();
                out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
                out.flush();
                socket.getInputStream().readAllBytes();
                return true;
            }
        });
    }

    private static int status(String url) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.discarding())
                    .statusCode();
        }
    }

    private String address(int rank) {
        await().atMost(PATIENCE)
                .failFast(() -> assertThat(nodes).allMatch(Process::isAlive))
                .until(() -> output(rank).contains("Listening on "));
        Matcher address = LISTENING.matcher(output(rank));
        assertThat(address.find()).isTrue();
        return address.group(1);
    }

    private Process start(int rank, int all, String... further) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-cp",
                System.getProperty("java.class.path"),
                EngineMain.class.getName()));
        command.addAll(List.of("--model-path", TestModels.TINY.toString(), "--skip-tokenizer-init", "--port", "0"));
        command.addAll(List.of("--tp-size", Integer.toString(all), "--nnodes", Integer.toString(all)));
        command.addAll(List.of("--node-rank", Integer.toString(rank)));
        command.addAll(List.of("--dist-init-addr", "127.0.0.1:" + meetingPort));
        command.addAll(Arrays.asList(further));
        Path first = directory.resolve("output-" + rank);
        Path output = Files.exists(first) ? directory.resolve("output-twin") : first;
        Process node = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        nodes.add(node);
        return node;
    }

    private String output(Object node) {
        try {
            return Files.readString(directory.resolve("output-" + node), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }
}
