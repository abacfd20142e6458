package dev.sluice.trainer.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.training.BatchRows;
import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.process.ChildCommand;
import dev.sluice.process.ChildProcess;
import dev.sluice.process.PortLease;
import dev.sluice.sglang.SglangClient;
import dev.sluice.trainer.Configs;
import dev.sluice.trainer.Requests;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.worker.Worker;
import dev.sluice.trainer.worker.WorkerHost;
import dev.sluice.workerapi.Batch.Column;
import dev.sluice.workerapi.BatchFile;
import dev.sluice.workerapi.LoadRequest;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged CPU engine and the packaged CPU worker as teachers with the same weights. */
class TeacherIT {
    private static final Path ROOT = Path.of(System.getProperty("sluice.root"));
    private static final Path MODEL = ROOT.resolve("deploy/examples/tiny/model");
    private static final Path BACKEND = ROOT.resolve("services/cpu-backend/target");
    private static final int VOCABULARY = 64;
    private static final int SAMPLES = 12;
    private static final Duration DEADLINE = Duration.ofSeconds(120);

    @TempDir
    Path folder;

    @Test
    void anEngineTellsWhatTheWorkerComputes() throws IOException, InterruptedException {
        long seed = System.nanoTime();
        BatchRows rows = randomRows(new Random(seed));
        try (PortLease port = PortLease.take()) {
            URI address = URI.create("http://127.0.0.1:" + port.port());
            ChildProcess engine = engine(port.port());
            try {
                SglangClient client = new SglangClient(address, null);
                await().atMost(DEADLINE).until(() -> client.health(Duration.ofSeconds(5)));

                float[] told = fromEngine(address.toString(), rows);
                float[] computed = fromWorker(rows);

                for (int sample = 0; sample < SAMPLES; sample++) {
                    int first = rows.cuSeqlens()[sample] + rows.promptLengths()[sample];
                    for (int t = rows.cuSeqlens()[sample]; t < rows.cuSeqlens()[sample + 1]; t++) {
                        assertThat(told[t])
                                .as("seed %d, sample %d, token %d", seed, sample, t)
                                .isCloseTo(t < first ? 0 : computed[t], within(1e-4f));
                    }
                }
            } finally {
                engine.stop(Duration.ZERO);
            }
        }
    }

    private float[] fromEngine(String address, BatchRows rows) throws InterruptedException {
        TrainerConfig config = config();
        TrainedRun run = run(address);
        BatchFiles batches = new BatchFiles(run, DEADLINE);
        return new Teacher(run, config, batches, null).column(1, rows).get(Column.TEACHER_LOGPROBS);
    }

    /** The batch that is trained says so too: it is what a successor finds. */
    private float[] fromWorker(BatchRows rows) throws InterruptedException {
        TrainedRun run = run(MODEL.toString());
        BatchFiles batches = new BatchFiles(run, DEADLINE);
        WorkerHost host = new WorkerHost(config().worker(), run, List.of(folder, MODEL));
        Worker worker = host.start();
        try {
            worker.client()
                    .load(
                            new LoadRequest(
                                    1,
                                    "load",
                                    "run",
                                    MODEL.toString(),
                                    null,
                                    MODEL.toString(),
                                    null,
                                    MODEL.toString(),
                                    List.of(),
                                    null),
                            DEADLINE);
            BatchFiles.Written written = batches.write(1, rows, Map.of(), worker);
            float[] column = BatchFile.read(written.file()).column(Column.TEACHER_LOGPROBS);
            assertThat(batches.column(1, rows, Column.TEACHER_LOGPROBS)).contains(column);
            return column;
        } finally {
            host.stop(worker);
        }
    }

    private TrainedRun run(String teacher) {
        return TrainedRun.of(
                "run",
                1,
                Requests.with(Map.of(
                        "algorithm.oldLogprobs", "rollout", "algorithm.distillation", Map.of("teacher", teacher))),
                plan(),
                folder.resolve("run"));
    }

    private static Plan plan() {
        return new Plan(
                Backend.CPU,
                new Plan.ModelFigures("glm4_moe_lite", 1, 1, 0, 64),
                new Plan.TrainingPlan(
                        new Plan.TrainingLayout(1, 1, 1, 1, 1, 1), List.of(), new Plan.Memory(0, 1), false),
                new Plan.RolloutPlan(1, new Plan.EngineLayout(1, 1, 1, 0), List.of(), 1024, 8),
                null,
                List.of(),
                List.of());
    }

    private static TrainerConfig config() {
        return Configs.of(
                Map.of("sluice.trainer.worker.command", String.join(",", java("dev.sluice.cpu.worker.WorkerMain"))));
    }

    private ChildProcess engine(int port) throws IOException {
        List<String> command = new java.util.ArrayList<>(java("dev.sluice.cpu.engine.EngineMain"));
        command.addAll(
                List.of("--skip-server-warmup", "--model-path", MODEL.toString(), "--port", Integer.toString(port)));
        return ChildProcess.start(ChildCommand.of(command, folder, folder.resolve("engine.log")));
    }

    private static List<String> java(String main) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                BACKEND.resolve("sluice-cpu-backend-0.1.0-SNAPSHOT.jar") + File.pathSeparator + BACKEND.resolve("lib")
                        + "/*",
                main);
    }

    /** Prompts and responses of 1 to 30 tokens. */
    private static BatchRows randomRows(Random random) {
        int[] prompts = random.ints(SAMPLES, 1, 31).toArray();
        int[] cuSeqlens = new int[SAMPLES + 1];
        int[] schedule = new int[3 * SAMPLES];
        long[] ids = new long[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            cuSeqlens[i + 1] = cuSeqlens[i] + prompts[i] + random.nextInt(1, 31);
            ids[i] = i;
        }
        int tokens = cuSeqlens[SAMPLES];
        byte[] mask = new byte[tokens];
        float[] denominators = new float[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            java.util.Arrays.fill(mask, cuSeqlens[i] + prompts[i], cuSeqlens[i + 1], (byte) 1);
            denominators[i] = cuSeqlens[i + 1] - cuSeqlens[i] - prompts[i];
        }
        return new BatchRows(
                random.ints(tokens, 0, VOCABULARY).toArray(),
                cuSeqlens,
                prompts,
                ids,
                new int[SAMPLES],
                denominators,
                new byte[SAMPLES],
                mask,
                new float[tokens],
                new float[tokens],
                new int[tokens],
                schedule,
                new double[SAMPLES]);
    }
}
