package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.SglangClient;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine as a supervisor sees it: a child process with flags, a life line and an exit code. */
class EngineProcessTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern LISTENING = Pattern.compile("Listening on (http://\\S+)");

    @TempDir
    private Path directory;

    private final List<Process> children = new ArrayList<>();

    @AfterEach
    void killWhatIsLeft() {
        children.forEach(Process::destroyForcibly);
    }

    @Test
    void anUnknownFlagPrintsTheUsageAndExitsWithTwo() throws Exception {
        Process engine = start("--model-path", TestModels.TINY.toString(), "--no-such-flag");

        assertThat(engine.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(engine.exitValue()).isEqualTo(2);
        assertThat(output()).contains("usage:", "unrecognized arguments: --no-such-flag");
    }

    @Test
    void aModelThatCannotBeServedExitsWithOneAndSaysWhy() throws Exception {
        Process engine = start("--model-path", TestModels.TINY.toString(), "--port", "0");

        assertThat(engine.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(engine.exitValue()).isEqualTo(1);
        assertThat(output()).contains("tokenizer.json");
    }

    @Test
    void itServesAndEndsWithItsLifeline() throws Exception {
        Process engine = startTiny();
        SglangClient client = awaitReady();

        GenerateResponse response =
                client.generate(GenerateRequest.ofTokens("r", new int[] {5, 6}, SamplingParams.of(3, 1)), PATIENCE);
        engine.getOutputStream().close();

        assertThat(response.outputIds()).hasSizeBetween(1, 3);
        assertThat(engine.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(engine.exitValue()).isZero();
        assertThat(Files.readString(directory.resolve("journal.jsonl"))).contains("\"rid\":\"r\"");
    }

    @Test
    void onSigtermItFinishesWhatRuns() throws Exception {
        Process engine = startTiny();
        SglangClient client = awaitReady();
        SamplingParams sampling =
                SamplingParams.of(500, 1).change().ignoreEos(true).done();
        CompletableFuture<GenerateResponse> running = CompletableFuture.supplyAsync(() ->
                client.generate(GenerateRequest.ofTokens("long", new int[] {5, 6}, sampling), PATIENCE));
        await().atMost(PATIENCE).until(() -> client.loads().requests() == 1);

        engine.destroy();

        assertThat(running.get().outputIds()).hasSize(500);
        assertThat(engine.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(directory.resolve("journal.jsonl"))).contains("\"completion_tokens\":500");
    }

    private Process startTiny() throws IOException {
        return start("--model-path", TestModels.TINY.toString(), "--skip-tokenizer-init", "--port", "0");
    }

    private Process start(String... flags) throws IOException {
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
        command.addAll(List.of(flags));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.redirectOutput(directory.resolve("output").toFile());
        builder.environment().put("SLUICE_LIFELINE", "stdin");
        builder.environment()
                .put("SLUICE_ENGINE_JOURNAL", directory.resolve("journal.jsonl").toString());
        Process engine = builder.start();
        children.add(engine);
        return engine;
    }

    private SglangClient awaitReady() throws IOException {
        await().atMost(PATIENCE).until(() -> output().contains("The server is fired up and ready to roll!"));
        Matcher address = LISTENING.matcher(output());
        assertThat(address.find()).isTrue();
        return new SglangClient(URI.create(address.group(1)), null);
    }

    private String output() throws IOException {
        return Files.readString(directory.resolve("output"), StandardCharsets.UTF_8);
    }
}
