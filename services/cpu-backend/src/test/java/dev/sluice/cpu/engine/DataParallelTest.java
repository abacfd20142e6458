package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.HttpReply;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.Loads;
import dev.sluice.sglang.PauseMode;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.WeightUpdate;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An engine of two ranks is two schedulers behind one API. */
class DataParallelTest {
    private static final SamplingParams LONG =
            SamplingParams.of(400, 1).change().ignoreEos(true).done();

    @TempDir
    private static Path models;

    private static Path letters;
    private static Path others;

    private RunningEngine engine;

    @BeforeAll
    static void write() throws IOException {
        letters = TestModels.markov(models.resolve("letters"), 3, 0);
        others = TestModels.markov(models.resolve("others"), 1, 0);
    }

    @BeforeEach
    void start() throws IOException {
        engine = start("--load-balance-method", "total_tokens");
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    @Test
    void aRoutedRequestRunsWhereItSaysAndItsTokensDoNotTell() throws IOException {
        SamplingParams sampling = SamplingParams.of(12, 1)
                .change()
                .ignoreEos(true)
                .samplingSeed(3)
                .done();
        GenerateRequest request = GenerateRequest.ofTokens(null, new int[] {4, 5}, sampling);

        GenerateResponse first = engine.client().generate(request.onRank(0), RunningEngine.DEADLINE);
        GenerateResponse second = engine.client().generate(request.onRank(1), RunningEngine.DEADLINE);
        JsonNode older = engine.post(
                        "/generate",
                        Map.of(
                                "input_ids",
                                new int[] {4},
                                "data_parallel_rank",
                                1,
                                "sampling_params",
                                Map.of("max_new_tokens", 1)))
                .tree();

        assertThat(first.meta().dpRank()).isZero();
        assertThat(second.meta().dpRank()).isOne();
        assertThat(second.outputIds()).isEqualTo(first.outputIds());
        assertThat(older.at("/meta_info/dp_rank").asInt()).isOne();
    }

    @Test
    void aRankThatIsNotThereIsA400() throws IOException {
        for (int rank : new int[] {-1, 2}) {
            HttpReply reply = engine.post(
                    "/generate",
                    GenerateRequest.ofTokens(null, new int[] {4}, SamplingParams.of(1, 1))
                            .onRank(rank));

            assertThat(reply.status()).isEqualTo(400);
            assertThat(reply.tree().at("/error/message").asText())
                    .isEqualTo("routed_dp_rank=" + rank + " out of range [0, 2)");
        }
    }

    @Test
    void everyRankTellsItsOwnLoad() throws IOException {
        List<CompletableFuture<GenerateResponse>> running = beginOnRankOne(3);
        await().atMost(RunningEngine.DEADLINE)
                .until(() -> engine.client().loads().requests() == 3);

        Loads loads = engine.client().loads();
        JsonNode older = engine.get("/get_load").tree();
        JsonNode one = engine.get("/v1/loads?dp_rank=1").tree();
        JsonNode info = engine.client().serverInfoTree();
        String metrics = engine.client().metrics();
        engine.client().abortAll();
        running.forEach(CompletableFuture::join);

        assertThat(loads.loads()).extracting(Loads.Load::dpRank).containsExactly(0, 1);
        assertThat(loads.loads().get(0).numRunningReqs()).isZero();
        assertThat(loads.loads().get(1).maxRunningRequests()).isEqualTo(4);
        assertThat(older.get(1).get("num_reqs").asInt()).isEqualTo(3);
        assertThat(one.get("loads")).hasSize(1);
        assertThat(engine.get("/v1/loads?dp_rank=2").status()).isEqualTo(400);
        assertThat(info.get("internal_states")).hasSize(2);
        assertThat(info.at("/internal_states/0/effective_max_running_requests_per_dp")
                        .asInt())
                .isEqualTo(4);
        assertThat(info.get("dp_size").asInt()).isEqualTo(2);
        assertThat(metrics).containsPattern("sglang:num_running_reqs\\{[^}]*dp_rank=\"0\"[^}]*} 0\\.0");
        assertThat(metrics).containsPattern("sglang:num_running_reqs\\{[^}]*dp_rank=\"1\"[^}]*} 3\\.0");
    }

    @Test
    void tokensDecideWhereTheNextRequestGoesAndTurnsDoWhereRoundRobinIsAsked() throws IOException {
        List<CompletableFuture<GenerateResponse>> running = beginOnRankOne(2);
        await().atMost(RunningEngine.DEADLINE)
                .until(() -> engine.client().loads().requests() == 2);
        List<Integer> byTokens = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            byTokens.add(rankOf(engine));
        }
        engine.client().abortAll();
        running.forEach(CompletableFuture::join);

        List<Integer> byTurns = new ArrayList<>();
        try (RunningEngine turns = start("--load-balance-method", "round_robin")) {
            for (int i = 0; i < 4; i++) {
                byTurns.add(rankOf(turns));
            }
        }

        assertThat(byTokens).containsOnly(0);
        assertThat(byTurns).containsExactly(0, 1, 0, 1);
    }

    @Test
    void samplesOfOnePromptStayTogetherAndShareIt() {
        SamplingParams sampling =
                SamplingParams.of(3, 1).change().ignoreEos(true).n(4).done();

        List<GenerateResponse> samples = engine.client()
                .generateSeveral(
                        GenerateRequest.ofTokens("group", new int[] {4, 5, 6}, sampling), RunningEngine.DEADLINE);

        assertThat(samples)
                .extracting(one -> one.meta().dpRank())
                .containsOnly(samples.get(0).meta().dpRank());
        assertThat(samples).extracting(one -> one.meta().cachedTokens()).containsExactly(0, 2, 2, 2);
    }

    @Test
    void aNameLivesOnceInTheWholeEngine() {
        CompletableFuture<GenerateResponse> running = beginOnRankOne(1).get(0);
        await().atMost(RunningEngine.DEADLINE)
                .until(() -> engine.client().loads().requests() == 1);
        GenerateRequest again = GenerateRequest.ofTokens("r0", new int[] {4}, SamplingParams.of(1, 1))
                .onRank(0);

        assertThatThrownBy(() -> engine.client().generate(again, RunningEngine.DEADLINE))
                .hasMessageContaining("Duplicate request ID detected: r0");
        engine.client().abort("r");
        assertThat(running.join().meta().finishReason()).isEqualTo(FinishReason.Abort.whileRunning());
    }

    @Test
    void newWeightsWaitForEveryRankAndReachEveryRank() {
        List<CompletableFuture<GenerateResponse>> running = beginOnRankOne(1);
        await().atMost(RunningEngine.DEADLINE)
                .until(() -> engine.client().loads().requests() == 1);

        WeightUpdate.Outcome outcome =
                engine.client().updateWeightsFromDisk(WeightUpdate.of(others.toString(), "v2"), RunningEngine.DEADLINE);

        assertThat(outcome.success()).isTrue();
        assertThat(running.get(0).join().outputIds()).hasSize(400);
        for (int rank = 0; rank < 2; rank++) {
            GenerateRequest request = GenerateRequest.ofTokens(
                            null,
                            new int[] {4},
                            SamplingParams.of(8, 0).change().ignoreEos(true).done())
                    .onRank(rank);
            assertThat(engine.client()
                            .generate(request, RunningEngine.DEADLINE)
                            .meta()
                            .weightVersion())
                    .isEqualTo("v2");
        }
    }

    @Test
    void pausesHoldEveryRankAndAFlushNeedsAllToBeIdle() {
        List<CompletableFuture<GenerateResponse>> running = beginOnRankOne(1);
        await().atMost(RunningEngine.DEADLINE)
                .until(() -> engine.client().loads().requests() == 1);

        engine.client().pauseGeneration(PauseMode.IN_PLACE, RunningEngine.DEADLINE);
        boolean whilePaused = engine.client().flushCache(Duration.ZERO);
        CompletableFuture<GenerateResponse> held = engine.begin("held", new int[] {4}, SamplingParams.of(2, 1));
        WeightUpdate inPlace = new WeightUpdate(others.toString(), null, "v2", false, false);
        WeightUpdate.Outcome outcome = engine.client().updateWeightsFromDisk(inPlace, RunningEngine.DEADLINE);
        engine.client().continueGeneration();

        assertThat(whilePaused).isFalse();
        assertThat(outcome.success()).isTrue();
        assertThat(outcome.numPausedRequests()).containsExactly(0, 1);
        assertThat(running.get(0).join().outputIds()).hasSize(400);
        assertThat(held.join().meta().weightVersion()).isEqualTo("v2");
        assertThat(engine.client().flushCache(Duration.ofSeconds(5))).isTrue();
    }

    private static RunningEngine start(String... balance) throws IOException {
        List<String> flags = new ArrayList<>(
                List.of("--dp-size", "2", "--enable-dp-attention", "--max-running-requests", "8", "--enable-metrics"));
        flags.addAll(List.of(balance));
        return RunningEngine.start(letters, flags.toArray(String[]::new));
    }

    private List<CompletableFuture<GenerateResponse>> beginOnRankOne(int count) {
        List<CompletableFuture<GenerateResponse>> running = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            GenerateRequest request =
                    GenerateRequest.ofTokens("r" + i, new int[] {4, 5}, LONG).onRank(1);
            running.add(CompletableFuture.supplyAsync(
                    () -> engine.client().generate(request, RunningEngine.DEADLINE),
                    task -> Thread.ofVirtual().start(task)));
        }
        return running;
    }

    private static Integer rankOf(RunningEngine engine) {
        return engine.generate(new int[] {4}, SamplingParams.of(1, 1)).meta().dpRank();
    }
}
