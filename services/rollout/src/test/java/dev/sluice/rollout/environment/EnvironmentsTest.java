package dev.sluice.rollout.environment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.environment.EnvironmentFunction;
import dev.sluice.domain.environment.Turn;
import dev.sluice.domain.environment.TurnAnswer;
import dev.sluice.domain.reward.Response;
import dev.sluice.events.Rollout.Turns;
import dev.sluice.http.Json;
import dev.sluice.rollout.reward.FakeRewardService;
import dev.sluice.rollout.reward.OwnJars;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EnvironmentsTest {
    private static final Duration LEFT = Duration.ofSeconds(30);

    private FakeRewardService service;

    @BeforeEach
    void start() throws IOException {
        service = new FakeRewardService();
    }

    @AfterEach
    void stop() {
        service.close();
    }

    @Test
    void aServiceGetsTheTurnAndEverythingBeforeIt() throws Exception {
        // Given
        service.answers(200, "{\"text\": \"5\"}");
        JsonNode metadata = Json.MAPPER.readTree("{\"level\": 3}");
        Turn turn = new Turn(new Response("1+1=", "2+3=", "2", metadata), "3=", 2);
        // When
        TurnAnswer answer = remote().answer(new EnvironmentAsk(turns(service.url(), 5), "1+1=", turn, LEFT));
        // Then
        assertThat(answer).isEqualTo(new TurnAnswer.Says("5"));
        assertThat(Json.MAPPER.readTree(service.bodies.getFirst())).isEqualTo(Json.MAPPER.readTree("""
                        {"prompt": "1+1=", "response": "2+3=", "said": "3=", "turn": 2, "label": "2",
                         "metadata": {"level": 3}}"""));
    }

    @Test
    void aServiceCanEndTheResponse() throws Exception {
        service.answers(200, "{\"done\": true}");

        assertThat(answer(remote(), service.url())).isEqualTo(new TurnAnswer.Done());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "5",
                "[]",
                "null",
                "{\"done\": false}",
                "{\"done\": \"true\"}",
                "{\"text\": 5}",
                "{\"done\": true, \"text\": \"5\"}"
            })
    void aServiceThatAnswersSomethingElseIsQuoted(String lie) {
        service.answers(200, lie);

        assertThatThrownBy(() -> answer(remote(), service.url()))
                .isInstanceOf(EnvironmentException.class)
                .hasMessageContaining("neither {\"done\": true} nor {\"text\": \"...\"}, but");
    }

    @ParameterizedTest
    @CsvSource({"503, 2", "429, 2", "422, 1", "400, 1"})
    void onlyWhatPassesIsTriedAgain(int status, int calls) throws Exception {
        // Given
        service.answers(status, "{}").answers(200, "{\"done\": true}");
        // When
        try {
            assertThat(answer(remote(), service.url())).isEqualTo(new TurnAnswer.Done());
        } catch (EnvironmentException failure) {
            assertThat(failure).hasMessageContaining(Integer.toString(status));
        }
        // Then
        assertThat(service.bodies).hasSize(calls);
    }

    @Test
    void aServiceThatHangsOrDiesOrFloodsIsLeft() throws IOException {
        service.hangs();
        assertThatThrownBy(() -> answer(remote(), service.url())).isInstanceOf(EnvironmentException.class);
        try (FakeRewardService flooding = new FakeRewardService().floods()) {
            Environments environments = new Environments(List.of(flooding.url()), 4, List.of());
            assertThatThrownBy(() -> answer(environments, flooding.url())).isInstanceOf(EnvironmentException.class);
        }
        try (FakeRewardService dying = new FakeRewardService().dies()) {
            Environments environments = new Environments(List.of(dying.url()), 4, List.of());
            assertThatThrownBy(() -> answer(environments, dying.url())).isInstanceOf(EnvironmentException.class);
        }
    }

    @Test
    void anAddressThatTheInstanceMayNotCallIsNotCalled() {
        Environments environments = new Environments(List.of("http://tools.example/"), 4, List.of());

        assertThatThrownBy(() -> answer(environments, service.url()))
                .hasMessageContaining("is not covered by this instance's sluice.rollout.environment-urls");
        assertThat(service.bodies).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, Environments.MAX_CHARACTERS + 1})
    void aTextIsNeitherEmptyNorHuge(int characters) {
        Environments environments = own(turn -> new TurnAnswer.Says("1".repeat(characters)));

        assertThatThrownBy(() -> answer(environments, "own:mine"))
                .hasMessageContaining(characters == 0 ? "it said nothing" : "it said 262145 characters");
    }

    @Test
    void codeThatHangsFailsOrReturnsNothingIsToldApart() {
        assertThatThrownBy(() -> answer(
                        own(turn -> {
                            Thread.sleep(60_000);
                            return new TurnAnswer.Done();
                        }),
                        "own:mine"))
                .hasMessage("the environment own:mine: mine did not end within 1.0 s");
        assertThatThrownBy(() -> answer(
                        own(turn -> {
                            throw new StackOverflowError("x".repeat(5000));
                        }),
                        "own:mine"))
                .hasMessageContaining("it failed: java.lang.StackOverflowError")
                .satisfies(failure -> assertThat(failure.getMessage()).hasSizeLessThan(1100));
        assertThatThrownBy(() -> answer(own(turn -> null), "own:mine")).hasMessageContaining("it returned null");
    }

    @Test
    void anEnvironmentComesFromAJar(@TempDir Path folder) throws Exception {
        // Given
        Path jar = folder.resolve("own.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file)) {
            out.putNextEntry(new JarEntry("META-INF/services/" + EnvironmentFunction.class.getName()));
            out.write(Calculator.class.getName().getBytes(StandardCharsets.UTF_8));
        }
        // When
        var environments = new Environments(List.of(), 4, OwnJars.provided(EnvironmentFunction.class, List.of(jar)));
        // Then
        assertThat(answer(environments, "own:calculator")).isEqualTo(new TurnAnswer.Says("5<user>"));
        assertThatThrownBy(() -> answer(environments, "own:other"))
                .hasMessageContaining("this instance does not have it, only [calculator]");
    }

    @Test
    void namesAreUsedOnce() {
        assertThatThrownBy(() -> new Environments(List.of(), 4, List.of(new Calculator(), new Calculator())))
                .hasMessageContaining("both call their environment calculator");
    }

    private Environments remote() {
        return new Environments(List.of(service.url()), 4, List.of());
    }

    /** What a test's own environment answers. */
    private interface Body {
        TurnAnswer answer(Turn turn) throws Exception;
    }

    private static Environments own(Body body) {
        return new Environments(List.of(), 4, List.of(new EnvironmentFunction() {
            @Override
            public String name() {
                return "mine";
            }

            @Override
            public TurnAnswer answer(Turn turn) throws Exception {
                return body.answer(turn);
            }
        }));
    }

    private static TurnAnswer answer(Environments environments, String hook) throws EnvironmentException {
        Turn turn = new Turn(Response.of("2+3=", "2"), "2+3=", 1);
        return environments.answer(new EnvironmentAsk(turns(hook, 1), "1+1=", turn, LEFT));
    }

    private static Turns turns(String hook, int seconds) {
        return new Turns(hook, 8, seconds);
    }
}
