package dev.sluice.trainer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.events.Backend;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainerConfigTest {
    @Test
    void hasTheseDefaults() {
        TrainerConfig config = Configs.of(Map.of());

        assertThat(config.worker().command()).isEmpty();
        assertThat(config.worker().environment()).isEmpty();
        assertThat(config.worker().gpuCommand()).containsExactly("python3", "-m", "torch.distributed.run");
        assertThat(config.worker().gpuModule()).isEqualTo("sluice_megatron");
        assertThat(config.worker().gpuStartDeadline()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.worker().meetingHost()).isEmpty();
        assertThat(config.worker().meetingPort()).isEqualTo(29_400);
        assertThat(config.worker().startDeadline()).isEqualTo(Duration.ofSeconds(60));
        assertThat(config.worker().callDeadline()).isEqualTo(Duration.ofMinutes(30));
        assertThat(config.worker().stopDeadline()).isEqualTo(Duration.ofSeconds(5));
        assertThat(config.worker().keepAlive()).isEqualTo(Duration.ofSeconds(5));
        assertThat(config.worker().restarts()).isEqualTo(3);
        assertThat(config.backend()).isEqualTo(Backend.CPU);
        assertThat(config.gpus()).isZero();
        assertThat(config.slots()).isEqualTo(1);
        assertThat(config.heartbeat()).isEqualTo(Duration.ofSeconds(2));
        assertThat(config.teacherUrls()).isEmpty();
        assertThat(config.teacherCalls()).isEqualTo(32);
        assertThat(config.teacherCallDeadline()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.waits().teacher()).isEqualTo(Duration.ofMinutes(30));
        assertThat(config.kafkaDeadline()).isEqualTo(Duration.ofSeconds(60));
        assertThat(config.waits().shownAfter()).isEqualTo(Duration.ofSeconds(2));
        assertThat(config.waits().conversion()).isEqualTo(Duration.ofHours(1));
        assertThat(config.waits().engines()).isEqualTo(Duration.ofHours(1));
        assertThat(config.waits().handOver()).isEqualTo(Duration.ofMinutes(15));
        assertThat(config.waits().lastHandOver()).isEqualTo(Duration.ofSeconds(15));
        assertThat(config.waits().receivers()).isEqualTo(Duration.ofSeconds(60));
        assertThat(config.waits().results()).isEqualTo(Duration.ofHours(1));
        assertThat(config.waits().evaluation()).isEqualTo(Duration.ofHours(1));
        assertThat(config.waits().leftovers()).isEqualTo(Duration.ofSeconds(10));
        assertThat(config.waits().staleGroups()).isEqualTo(Duration.ofSeconds(1));
        assertThat(config.waits().diskSpace()).isEqualTo(Duration.ofHours(1));
        assertThat(config.leases().heartbeat()).isEqualTo(Duration.ofSeconds(6));
        assertThat(config.leases().start()).isEqualTo(Duration.ofSeconds(15));
        assertThat(config.leases().grace()).isEqualTo(Duration.ofSeconds(10));
        assertThat(config.leases().straggler()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.weights().keep()).isEqualTo(2);
        assertThat(config.weights().keepFor()).isEqualTo(Duration.ofMinutes(5));
    }

    @Test
    void takesEveryKey() {
        Map<String, String> keys = Map.ofEntries(
                Map.entry("sluice.trainer.worker.command", "torchrun,--standalone"),
                Map.entry("sluice.trainer.worker.environment.NCCL_ALGO", "Ring"),
                Map.entry("sluice.trainer.worker.gpu-command", "/opt/venv/bin/torchrun"),
                Map.entry("sluice.trainer.worker.gpu-module", "own_worker"),
                Map.entry("sluice.trainer.worker.gpu-start-deadline", "22s"),
                Map.entry("sluice.trainer.worker.meeting-host", "10.0.0.7"),
                Map.entry("sluice.trainer.worker.meeting-port", "23000"),
                Map.entry("sluice.trainer.worker.start-deadline", "1s"),
                Map.entry("sluice.trainer.worker.call-deadline", "2s"),
                Map.entry("sluice.trainer.worker.stop-deadline", "3s"),
                Map.entry("sluice.trainer.worker.keep-alive", "4s"),
                Map.entry("sluice.trainer.worker.restarts", "9"),
                Map.entry("sluice.trainer.backend", "gpu"),
                Map.entry("sluice.trainer.gpus", "8"),
                Map.entry("sluice.trainer.slots", "2"),
                Map.entry("sluice.trainer.heartbeat", "5s"),
                Map.entry("sluice.trainer.kafka-deadline", "6s"),
                Map.entry("sluice.trainer.teacher-urls", "http://teacher:30000,https://other"),
                Map.entry("sluice.trainer.teacher-calls", "4"),
                Map.entry("sluice.trainer.teacher-call-deadline", "20s"),
                Map.entry("sluice.trainer.waits.teacher", "21s"),
                Map.entry("sluice.trainer.waits.shown-after", "7s"),
                Map.entry("sluice.trainer.waits.conversion", "8s"),
                Map.entry("sluice.trainer.waits.engines", "9s"),
                Map.entry("sluice.trainer.waits.hand-over", "23s"),
                Map.entry("sluice.trainer.waits.receivers", "24s"),
                Map.entry("sluice.trainer.waits.last-hand-over", "25s"),
                Map.entry("sluice.trainer.waits.results", "10s"),
                Map.entry("sluice.trainer.waits.evaluation", "18s"),
                Map.entry("sluice.trainer.waits.leftovers", "11s"),
                Map.entry("sluice.trainer.waits.stale-groups", "17s"),
                Map.entry("sluice.trainer.waits.disk-space", "19s"),
                Map.entry("sluice.trainer.leases.heartbeat", "12s"),
                Map.entry("sluice.trainer.leases.start", "13s"),
                Map.entry("sluice.trainer.leases.grace", "14s"),
                Map.entry("sluice.trainer.leases.straggler", "90s"),
                Map.entry("sluice.trainer.weights.keep", "15"),
                Map.entry("sluice.trainer.weights.keep-for", "16s"));

        TrainerConfig config = Configs.of(keys);

        assertThat(config.worker().command()).contains(List.of("torchrun", "--standalone"));
        assertThat(config.worker().environment()).containsEntry("NCCL_ALGO", "Ring");
        assertThat(List.of(
                        config.worker().startDeadline(),
                        config.worker().callDeadline(),
                        config.worker().stopDeadline(),
                        config.worker().keepAlive(),
                        config.heartbeat(),
                        config.kafkaDeadline(),
                        config.waits().shownAfter(),
                        config.waits().conversion(),
                        config.waits().engines(),
                        config.waits().results(),
                        config.waits().evaluation(),
                        config.waits().leftovers(),
                        config.leases().heartbeat(),
                        config.leases().start(),
                        config.leases().grace(),
                        config.leases().straggler(),
                        config.weights().keepFor(),
                        config.waits().staleGroups(),
                        config.waits().diskSpace(),
                        config.teacherCallDeadline(),
                        config.waits().teacher(),
                        config.worker().gpuStartDeadline(),
                        config.waits().handOver(),
                        config.waits().receivers(),
                        config.waits().lastHandOver()))
                .extracting(Duration::toSeconds)
                .containsExactly(
                        1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 18L, 11L, 12L, 13L, 14L, 90L, 16L, 17L, 19L, 20L, 21L,
                        22L, 23L, 24L, 25L);
        assertThat(List.of(
                        config.worker().restarts(),
                        config.gpus(),
                        config.slots(),
                        config.weights().keep(),
                        config.teacherCalls()))
                .containsExactly(9, 8, 2, 15, 4);
        assertThat(config.worker().gpuCommand()).containsExactly("/opt/venv/bin/torchrun");
        assertThat(config.worker().gpuModule()).isEqualTo("own_worker");
        assertThat(config.worker().meetingHost()).contains("10.0.0.7");
        assertThat(config.worker().meetingPort()).isEqualTo(23_000);
        assertThat(config.teacherUrls()).contains(List.of("http://teacher:30000", "https://other"));
        assertThat(config.backend()).isEqualTo(Backend.GPU);
    }

    @Test
    void refusesAKeyThatNobodyKnows() {
        assertThatThrownBy(() -> Configs.of(Map.of("sluice.trainer.worker.comand", "x")))
                .hasMessageContaining("comand");
    }
}
