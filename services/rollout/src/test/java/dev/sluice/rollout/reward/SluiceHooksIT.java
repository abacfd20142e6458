package dev.sluice.rollout.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.domain.reward.Response;
import dev.sluice.events.TrainingRequest.Reward;
import dev.sluice.http.Json;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** slime's users' functions, hosted by services/sluice-hooks, as the rollout service asks them. */
class SluiceHooksIT {
    private static final Path HOOKS = Path.of(System.getProperty("sluice.root"), "services/sluice-hooks");
    private static final String RECENT_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 10))";

    private static Process server;
    private static String url;

    @BeforeAll
    static void start() throws Exception {
        assumeTrue(hasPython(), "there is no python3 of at least 3.10 here, so sluice-hooks is not tested");
        server = python(
                        "-m",
                        "sluice_hooks",
                        "--reward",
                        "own_functions.judge",
                        "--group-reward",
                        "own_functions.ranks",
                        "--port",
                        "0",
                        "--timeout",
                        "1",
                        "--workers",
                        "2")
                .start();
        BufferedReader out = server.inputReader(StandardCharsets.UTF_8);
        String line = out.readLine();
        assertThat(line).startsWith("sluice-hooks listens on ");
        url = line.substring("sluice-hooks listens on ".length()) + "/reward";
    }

    @AfterAll
    static void stop() throws InterruptedException {
        if (server != null) {
            server.destroy();
            assertThat(server.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void functionsThatHangDieOrLieLeaveTheirSampleUnscoredAndTheOthersScored() throws JsonProcessingException {
        // When
        List<Score> scores = score(false, "7", "hang", "die", "nan", "text", "raise", "flood", "dict", "8");
        // Then
        assertThat(scores).extracting(Score::reward).containsExactly(1.0, null, null, null, null, null, null, 0.5, 0.0);
        assertThat(scores.get(1).unscored()).contains("own_functions.judge did not end within 1 s; it was killed");
        assertThat(scores.get(2).unscored()).contains("exit code 7");
        assertThat(scores.get(3).unscored()).contains("not JSON compliant");
        assertThat(scores.get(4).unscored()).contains("a finite number or a dictionary, not 'good'");
        assertThat(scores.get(5).unscored()).contains("KeyError: 'no such key'");
        assertThat(scores.get(6).unscored()).contains("longer than the limit of 1048576 bytes");
    }

    @Test
    void aGroupFunctionSeesTheWholeGroup() throws JsonProcessingException {
        // When
        List<Score> scores = score(true, "ccc", "a", "bb");
        // Then
        assertThat(scores).extracting(Score::reward).containsExactly(2.0, 0.0, 1.0);
    }

    @Test
    void theHooksOwnTestsPass() throws IOException, InterruptedException {
        // When
        Process tests = python("-m", "unittest", "discover", "-s", "tests")
                .redirectErrorStream(true)
                .start();
        String output = new String(tests.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        // Then
        assertThat(tests.waitFor()).as(output).isZero();
    }

    private static List<Score> score(boolean group, String... responses) throws JsonProcessingException {
        Rewards rewards = new Rewards(List.of(url), 64, new OwnRewards(List.of()));
        var metadata = Json.MAPPER.readTree("{\"level\": 1}");
        return rewards.score(new RewardAsk(
                new Reward("remote", null, url, 30, group, List.of()),
                "p",
                Stream.of(responses)
                        .map(text -> new Response("p", text, "7", metadata))
                        .toList(),
                Duration.ofSeconds(60)));
    }

    private static ProcessBuilder python(String... arguments) {
        List<String> command =
                Stream.concat(Stream.of("python3"), Stream.of(arguments)).toList();
        ProcessBuilder builder = new ProcessBuilder(command).directory(HOOKS.toFile());
        builder.environment().put("PYTHONPATH", HOOKS + File.pathSeparator + HOOKS.resolve("tests/fixtures"));
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        return builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    }

    private static boolean hasPython() throws InterruptedException {
        try {
            return python("-c", RECENT_ENOUGH).start().waitFor() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
