package dev.sluice.rollout;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Backend;
import dev.sluice.process.Life;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RolloutConfigTest {
    @Test
    void everyKeyHasTheDefaultThatTheReadmeSays() {
        // When
        RolloutConfig config = read(Map.of());
        // Then
        assertThat(config.slots()).isEqualTo(1);
        assertThat(config.gpus()).isZero();
        assertThat(config.backend()).isEqualTo(Backend.CPU);
        assertThat(config.drain()).isEqualTo(Duration.ofSeconds(3));
        assertThat(config.localWeights()).isEmpty();
        assertThat(config.clients().timeout()).isEqualTo(Duration.ofMinutes(30));
        assertThat(config.clients().maxBody()).isEqualTo(64 << 20);
        assertThat(config.rewardUrls()).isEmpty();
        assertThat(config.rewardCalls()).isEqualTo(64);
        assertThat(config.routerUrl()).isEmpty();
        assertThat(config.rewardJars()).isEmpty();
        assertThat(config.router()).isEmpty();
        assertThat(config.engine().command()).isEmpty();
        assertThat(config.engine().addresses()).isEmpty();
        assertThat(config.engine().apiKey()).isEmpty();
        assertThat(config.engine().host()).isEqualTo("127.0.0.1");
        assertThat(config.engine().meetingHost()).isEmpty();
        assertThat(config.engine().life()).isEqualTo(Life.STDIN);
        assertThat(config.engine().startDeadline()).isEqualTo(Duration.ofMinutes(15));
        assertThat(config.engine().warmDeadline()).isEqualTo(Duration.ofSeconds(300));
        assertThat(config.engine().progressDeadline()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.engine().canaryDeadline()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.engine().canaryPeriod()).isEqualTo(Duration.ofSeconds(60));
        assertThat(config.engine().updateDrain()).isEqualTo(Duration.ofSeconds(2));
        assertThat(config.engine().suspectDeadline()).isEqualTo(Duration.ofSeconds(90));
        assertThat(config.engine().stopGrace()).isEqualTo(Duration.ofSeconds(2));
    }

    @Test
    void everyKeyCanBeSet() {
        // When
        RolloutConfig config = read(Map.ofEntries(
                entry("sluice.rollout.slots", "4"),
                entry("sluice.rollout.gpus", "8"),
                entry("sluice.rollout.backend", "gpu"),
                entry("sluice.rollout.drain", "10s"),
                entry("sluice.rollout.engine.command", "python3,-m,sglang.launch_server"),
                entry("sluice.rollout.router", "http://10.0.0.9:30000"),
                entry("sluice.rollout.engine.addresses", "http://10.0.0.7:30000,http://10.0.0.8:30000"),
                entry("sluice.rollout.engine.api-key", "secret"),
                entry("sluice.rollout.engine.host", "10.0.0.5"),
                entry("sluice.rollout.engine.meeting-host", "10.0.0.6"),
                entry("sluice.rollout.engine.life", "guarded"),
                entry("sluice.rollout.engine.start-deadline", "30m"),
                entry("sluice.rollout.engine.warm-deadline", "10m"),
                entry("sluice.rollout.engine.progress-deadline", "50s"),
                entry("sluice.rollout.engine.canary-deadline", "40s"),
                entry("sluice.rollout.engine.canary-period", "5m"),
                entry("sluice.rollout.engine.update-drain", "5s"),
                entry("sluice.rollout.engine.suspect-deadline", "3m"),
                entry("sluice.rollout.engine.stop-grace", "20s"),
                entry("sluice.rollout.local-weights", "/nvme/weights"),
                entry("sluice.rollout.clients.timeout", "60s"),
                entry("sluice.rollout.clients.max-body", "1000"),
                entry("sluice.rollout.reward-urls", "http://one:1/a,http://two:2"),
                entry("sluice.rollout.environment-urls", "http://tools:3"),
                entry("sluice.rollout.reward-calls", "8"),
                entry("sluice.rollout.router-url", "http://rollout-1:8080"),
                entry("sluice.rollout.reward-jars", "/r/a.jar,/r/b.jar")));
        // Then
        assertThat(config.slots()).isEqualTo(4);
        assertThat(config.gpus()).isEqualTo(8);
        assertThat(config.backend()).isEqualTo(Backend.GPU);
        assertThat(config.drain()).isEqualTo(Duration.ofSeconds(10));
        assertThat(config.localWeights()).contains(Path.of("/nvme/weights"));
        assertThat(config.clients().timeout()).isEqualTo(Duration.ofMinutes(1));
        assertThat(config.clients().maxBody()).isEqualTo(1000);
        assertThat(config.engine().command()).contains(List.of("python3", "-m", "sglang.launch_server"));
        assertThat(config.router()).contains(URI.create("http://10.0.0.9:30000"));
        assertThat(config.engine().addresses())
                .contains(List.of(URI.create("http://10.0.0.7:30000"), URI.create("http://10.0.0.8:30000")));
        assertThat(config.engine().apiKey()).contains("secret");
        assertThat(config.engine().host()).isEqualTo("10.0.0.5");
        assertThat(config.engine().meetingHost()).contains("10.0.0.6");
        assertThat(config.engine().life()).isEqualTo(Life.GUARDED);
        assertThat(config.engine().startDeadline()).isEqualTo(Duration.ofMinutes(30));
        assertThat(config.engine().warmDeadline()).isEqualTo(Duration.ofMinutes(10));
        assertThat(config.engine().progressDeadline()).isEqualTo(Duration.ofSeconds(50));
        assertThat(config.engine().canaryDeadline()).isEqualTo(Duration.ofSeconds(40));
        assertThat(config.engine().canaryPeriod()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.engine().updateDrain()).isEqualTo(Duration.ofSeconds(5));
        assertThat(config.engine().suspectDeadline()).isEqualTo(Duration.ofMinutes(3));
        assertThat(config.engine().stopGrace()).isEqualTo(Duration.ofSeconds(20));
        assertThat(config.rewardUrls()).contains(List.of("http://one:1/a", "http://two:2"));
        assertThat(config.environmentUrls()).contains(List.of("http://tools:3"));
        assertThat(config.rewardCalls()).isEqualTo(8);
        assertThat(config.routerUrl()).contains(URI.create("http://rollout-1:8080"));
        assertThat(config.rewardJars()).contains(List.of(Path.of("/r/a.jar"), Path.of("/r/b.jar")));
    }

    private static RolloutConfig read(Map<String, String> keys) {
        return new SmallRyeConfigBuilder()
                .withMapping(RolloutConfig.class)
                .withConverter(Duration.class, 100, RolloutConfigTest::duration)
                .withSources(new PropertiesConfigSource(keys, "test", 100))
                .build()
                .getConfigMapping(RolloutConfig.class);
    }

    /** Quarkus reads "3s" so; plain SmallRye knows only ISO-8601. */
    private static Duration duration(String text) {
        return Duration.parse("PT" + text);
    }
}
