package dev.sluice.trainer.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.events.Plan;
import dev.sluice.process.PidFile;
import dev.sluice.trainer.Configs;
import dev.sluice.trainer.GpuPlans;
import dev.sluice.trainer.Requests;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import dev.sluice.trainer.run.WorkerPlace;
import dev.sluice.trainer.scenario.ChainWorkerMain;
import dev.sluice.workerapi.WorkerErrorCode;
import dev.sluice.workerapi.WorkerException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** GPU workers are started as real processes; instead of torchrun, a program that serves the worker API itself. */
class WorkerHostTest {
    private static final Map<String, String> ENVIRONMENT = Map.of("NCCL_DEBUG", "WARN");

    @TempDir
    Path folder;

    @Test
    void aGpuWorkerIsALauncherWithARankForEachGpuOfThePlan() throws InterruptedException, IOException {
        // Given
        TrainedRun run = run(GpuPlans.of(2, ENVIRONMENT)).at(new WorkerPlace(List.of(2, 3), null));
        WorkerHost host = new WorkerHost(config(chainWorker()).worker(), run, List.of(folder, Path.of("/models")));

        // When
        Worker worker = host.start();

        // Then
        PidFile pid = PidFile.read(run.folders().worker()).orElseThrow();
        assertThat(proc(pid, "cmdline"))
                .containsSubsequence(List.of("--nnodes", "1", "--node-rank", "0", "--nproc-per-node", "2"))
                .containsSubsequence(
                        List.of("--master-addr", "127.0.0.1", "--master-port", Integer.toString(pid.port() + 1)))
                .containsSubsequence(
                        List.of("-m", "sluice_megatron", "--host", "127.0.0.1", "--port", Integer.toString(pid.port())))
                .containsSubsequence(List.of("--data-root", folder.toString(), "--allow-root", "/models"))
                .containsSubsequence(List.of("--call-deadline", "1620s"));
        assertThat(proc(pid, "environ"))
                .contains("NCCL_DEBUG=WARN", "CUDA_VISIBLE_DEVICES=2,3", "NCCL_ALGO=Ring")
                .contains("OMP_NUM_THREADS=" + Math.max(1, Runtime.getRuntime().availableProcessors() / 2))
                .anyMatch(variable -> variable.startsWith("SLUICE_WORKER_TOKEN="));
        host.stop(worker);
        assertThat(pid.process()).isEmpty();
    }

    @Test
    void aWorkerThatEndsAtItsStartIsToldWithItsLastLines() {
        // Given
        List<String> dying = List.of("sh", "-c", "echo rank 3: CUDA error: out of memory; exit 7", "torchrun");
        WorkerHost host = new WorkerHost(config(dying).worker(), run(GpuPlans.of(2, Map.of())), List.of(folder));

        // When / Then
        assertThatThrownBy(host::start)
                .isInstanceOfSatisfying(
                        WorkerException.class, e -> assertThat(e.code()).isEqualTo(WorkerErrorCode.UNREACHABLE))
                .hasMessageContaining("ended with code 7")
                .hasMessageContaining("rank 3: CUDA error: out of memory");
    }

    @Test
    void anEnvironmentThatCouldLoadCodeIsRefused() {
        // Given
        TrainedRun run = run(GpuPlans.of(2, Map.of("LD_PRELOAD", "x")));
        WorkerHost host = new WorkerHost(config(chainWorker()).worker(), run, List.of(folder));

        // When / Then
        assertThatThrownBy(host::start)
                .isInstanceOf(TrainingRefusedException.class)
                .hasMessageContaining("LD_PRELOAD");
    }

    @Test
    void aWorkerOfSeveralNodesNeedsTheOthers() {
        // Given
        TrainedRun run = run(GpuPlans.of(16, Map.of()));
        WorkerHost host = new WorkerHost(config(chainWorker()).worker(), run, List.of(folder));

        // When / Then
        assertThatThrownBy(host::start)
                .isInstanceOf(TrainingRefusedException.class)
                .hasMessageContaining("spans 2 nodes, and there is this one alone");
    }

    @Test
    void eachNodeOfAWorkerStartsItsRanksUntilItIsToldToLeaveAndMeetsThemAtTheFirst()
            throws InterruptedException, IOException {
        // Given
        WorkerPlace place = new WorkerPlace(List.of(0), "first-node");
        TrainedRun run = run(GpuPlans.of(16, Map.of())).at(place);
        Path noted = folder.resolve("noted");
        List<String> ranks = List.of("sh", "-c", "echo \"$$ $*\" >> " + noted + "; exec sleep 600", "torchrun");
        NodeWorker node = new NodeWorker(run, 1, config(ranks).worker(), List.of(folder));

        // When
        node.start();

        // Then
        await().atMost(Duration.ofSeconds(60)).until(() -> Files.exists(noted) && Files.size(noted) > 0);
        String line = Files.readString(noted);
        assertThat(line)
                .contains("--nnodes 2 --node-rank 1 --nproc-per-node 8 --master-addr first-node --master-port 29400")
                .contains("-m sluice_megatron");
        ProcessHandle process =
                ProcessHandle.of(Long.parseLong(line.split(" ")[0])).orElseThrow();
        node.stop(Duration.ofSeconds(30));
        await().atMost(Duration.ofSeconds(60)).until(() -> !process.isAlive());
    }

    private TrainedRun run(Plan plan) {
        return TrainedRun.of(
                "run",
                1,
                Requests.with(Map.of("cluster", Map.of("gpusPerNode", 8))),
                plan,
                folder.resolve("runs").resolve("run"));
    }

    private static TrainerConfig config(List<String> gpuCommand) {
        Map<String, String> values = new HashMap<>();
        values.put(
                "sluice.trainer.worker.gpu-command",
                String.join(
                        ",",
                        gpuCommand.stream()
                                .map(part -> part.replace(",", "\\,"))
                                .toList()));
        values.put("sluice.trainer.worker.environment.NCCL_ALGO", "Ring");
        return Configs.of(values);
    }

    private static List<String> chainWorker() {
        return new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                ChainWorkerMain.class.getName()));
    }

    /** The arguments or the environment of a process, as Linux keeps them. */
    private static List<String> proc(PidFile pid, String file) throws IOException {
        byte[] content = Files.readAllBytes(Path.of("/proc", Long.toString(pid.pid()), file));
        return List.of(new String(content, StandardCharsets.UTF_8).split("\0"));
    }
}
