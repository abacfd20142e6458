package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.Json;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.Loads;
import dev.sluice.sglang.MemoryTag;
import dev.sluice.sglang.PauseMode;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.SglangClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pausing, aborting, flushing and what they do to requests in every state. */
class ControlTest {
    private static final int[] PROMPT = {4, 5, 6};
    private static final SamplingParams LONG =
            SamplingParams.of(500, 1).change().ignoreEos(true).samplingSeed(1).done();

    @TempDir
    private Path directory;

    private Path journal;
    private RunningEngine engine;
    private SglangClient client;

    @BeforeEach
    void start() throws IOException {
        journal = directory.resolve("journal.jsonl");
        engine = RunningEngine.start(
                Map.of("SLUICE_ENGINE_JOURNAL", journal.toString()), TestModels.TINY, "--enable-metrics");
        client = engine.client();
    }

    @AfterEach
    void stop() {
        engine.close();
    }

    @Test
    void anAbortedRequestThatRanKeepsWhatItHas() throws Exception {
        CompletableFuture<GenerateResponse> running = frozen("run-1");

        client.abort("run");

        GenerateResponse aborted = running.get();
        assertThat(aborted.meta().finishReason()).isEqualTo(FinishReason.Abort.whileRunning());
        assertThat(aborted.meta().promptTokens()).isEqualTo(3);
        assertThat(aborted.outputIds()).isNotEmpty().hasSizeLessThan(500);
        assertThat(aborted.meta().outputTokenLogprobs()).hasSize(aborted.outputIds().length);
        JsonNode line = Json.MAPPER.readTree(Files.readAllLines(journal).get(0));
        assertThat(line.get("rid").asText()).isEqualTo("run-1");
        assertThat(line.get("completion_tokens").asInt()).isEqualTo(aborted.outputIds().length);
        assertThat(line.get("weight_version").asText()).isEqualTo("default");
    }

    @Test
    void anUnknownOrEmptyRidAbortsNothing() throws Exception {
        CompletableFuture<GenerateResponse> running = frozen("run-1");

        engine.post("/abort_request", Map.of("rid", "other"));
        engine.post("/abort_request", Map.of("rid", ""));

        assertThat(running).isNotDone();
        assertThat(client.loads().requests()).isEqualTo(1);
    }

    @Test
    void whileTheEngineIsPausedNewRequestsHangUntilItContinues() throws Exception {
        client.pauseGeneration(PauseMode.ABORT, RunningEngine.DEADLINE);
        CompletableFuture<GenerateResponse> held = engine.begin("held", PROMPT, SamplingParams.of(5, 1));
        awaitRequests(1);
        assertThat(held).isNotDone();

        client.continueGeneration();

        assertThat(held.get().meta().completionTokens()).isEqualTo(5);
    }

    @Test
    void pausingByAbortEndsWhatRunsAndLeavesTheEngineFlushable() throws Exception {
        CompletableFuture<GenerateResponse> running = engine.begin("a", PROMPT, LONG);
        await().until(() -> client.loads().loads().get(0).numRunningReqs() == 1);

        client.pauseGeneration(PauseMode.ABORT, RunningEngine.DEADLINE);

        assertThat(running.get().meta().finishReason()).isEqualTo(FinishReason.Abort.whileRunning());
        assertThat(client.flushCache(Duration.ZERO)).isTrue();
    }

    @Test
    void pausingInPlaceKeepsTheCacheAndTheRequestGoesOnAsIfNothingHappened() throws Exception {
        int[] undisturbed = engine.generate(PROMPT, LONG).outputIds();
        CompletableFuture<GenerateResponse> running = frozen("b");

        boolean flushed = client.flushCache(Duration.ZERO);
        client.continueGeneration();

        assertThat(flushed).isFalse();
        assertThat(running.get().outputIds()).isEqualTo(undisturbed);
    }

    @Test
    void retractedRequestsAreComputedAgainWithTheSameResult() throws Exception {
        int[] undisturbed = engine.generate(PROMPT, LONG).outputIds();
        CompletableFuture<GenerateResponse> running = engine.begin("c", PROMPT, LONG);
        await().until(() -> client.loads().loads().get(0).numRunningReqs() == 1);

        client.pauseGeneration(PauseMode.RETRACT, RunningEngine.DEADLINE);
        Loads.Load paused = client.loads().loads().get(0);
        boolean flushed = client.flushCache(Duration.ZERO);
        client.continueGeneration();

        GenerateResponse response = running.get();
        assertThat(paused.numWaitingReqs()).isEqualTo(1);
        assertThat(paused.numUsedTokens()).isZero();
        assertThat(flushed).isTrue();
        assertThat(response.meta().numRetractions()).isEqualTo(1);
        assertThat(response.outputIds()).isEqualTo(undisturbed);
    }

    @Test
    void aHeldRequestThatIsAbortedNeverRan() throws Exception {
        client.pauseGeneration(PauseMode.ABORT, RunningEngine.DEADLINE);
        CompletableFuture<GenerateResponse> held = engine.begin("held", PROMPT, LONG);
        awaitRequests(1);

        client.abortAll();

        GenerateResponse response = held.get();
        assertThat(response.meta().finishReason()).isEqualTo(FinishReason.Abort.whileWaiting());
        assertThat(response.meta().promptTokens()).isNull();
        assertThat(response.meta().cachedTokens()).isNull();
        assertThat(response.meta().outputTokenLogprobs()).isEmpty();
    }

    @Test
    void flushWaitsForTheEngineToBeIdleAsLongAsItMay() throws Exception {
        CompletableFuture<GenerateResponse> running = engine.begin("d", PROMPT, LONG);
        await().until(() -> client.loads().loads().get(0).numRunningReqs() == 1);

        assertThat(client.flushCache(Duration.ZERO)).isFalse();
        assertThat(client.flushCache(Duration.ofSeconds(30))).isTrue();
        assertThat(running).succeedsWithin(RunningEngine.DEADLINE);
    }

    @Test
    void aRidThatLivesIsRefusedAndMayBeUsedAgainAfterwards() throws Exception {
        CompletableFuture<GenerateResponse> running = frozen("once");

        assertThat(engine.post("/generate", Map.of("rid", "once", "input_ids", PROMPT))
                        .excerpt())
                .contains("Duplicate request ID detected: once");
        client.abortAll();
        running.get();
        client.continueGeneration();

        assertThat(engine.begin("once", PROMPT, SamplingParams.of(2, 1)).get().outputIds())
                .hasSize(2);
    }

    @Test
    void memoryThatIsGivenBackMakesRequestsWaitAndMistakesAreRefused() throws Exception {
        client.releaseMemory(Set.of(MemoryTag.KV_CACHE, MemoryTag.WEIGHTS), RunningEngine.DEADLINE);
        CompletableFuture<GenerateResponse> waiting = engine.begin("e", PROMPT, SamplingParams.of(2, 1));
        awaitRequests(1);

        assertThat(engine.post("/release_memory_occupation", Map.of()).excerpt())
                .contains("should be called only when server is idle");
        assertThat(engine.post("/resume_memory_occupation", Map.of("tags", List.of("cuda_graph")))
                        .status())
                .isEqualTo(400);
        client.resumeMemory(Set.of(MemoryTag.WEIGHTS), RunningEngine.DEADLINE);
        assertThat(waiting).isNotDone();
        client.resumeMemory(Set.of(MemoryTag.KV_CACHE), RunningEngine.DEADLINE);

        assertThat(waiting.get().outputIds()).hasSize(2);
    }

    @Test
    void anUnknownPauseModeIsRefused() {
        assertThat(engine.post("/pause_generation", Map.of("mode", "softly")).status())
                .isEqualTo(400);
    }

    /** A request that has begun and stands still. */
    private CompletableFuture<GenerateResponse> frozen(String rid) {
        CompletableFuture<GenerateResponse> running = engine.begin(rid, PROMPT, LONG);
        await().until(() -> client.loads().loads().get(0).numUsedTokens() > 5);
        client.pauseGeneration(PauseMode.IN_PLACE, RunningEngine.DEADLINE);
        assertThat(running).isNotDone();
        return running;
    }

    private void awaitRequests(int count) {
        await().until(() -> client.loads().requests() == count);
    }
}
