package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.domain.audit.RunAudit;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.process.ChildProcess;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.SglangClient;
import dev.sluice.sglang.TokenLogprob;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Weights that change while the packaged service samples: under every pause mode samples go on across the change, and each
 * token's log-probability is that of the version that its span names. Expected log-probabilities come from engines of their
 * own that hold one version and compute the whole sequence at once.
 */
@ExtendWith(KafkaBroker.class)
class PauseModesIT {
    private static final int GROUPS = 24;
    private static final int MAX_TOKENS = 480;
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    /** Of log-probabilities around -6, in float32 over 500 positions, token by token and all at once. */
    private static final double PRECISION = 2e-3;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"abort", "retract", "in_place"})
    void samplesGoOnAcrossNewWeightsAndTheirSpansSayWhatSampledWhat(String mode, KafkaBroker kafka) throws Exception {
        List<GroupSampled> groups;
        Path newer;
        RunAudit audit;
        Path older;
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService(Map.of("SLUICE_ROLLOUT_ENGINE_UPDATE_DRAIN", "1ms"))) {
            // Given an engine that is busy for some seconds
            run.pauseMode = mode;
            older = run.model;
            EngineReady ready = run.begin();
            run.publishSource();
            List<GroupRequested> tasks = new ArrayList<>();
            for (int cursor = 0; cursor < GROUPS; cursor++) {
                tasks.add(task(run, cursor));
            }
            tasks.forEach(kafka::publish);
            run.log.await(run.runId, GroupSampled.class, any -> true, PATIENCE);
            // When
            newer = run.publishOtherWeights(1);
            WeightsLoaded loaded =
                    run.log.await(run.runId, WeightsLoaded.class, event -> event.version() == 1, PATIENCE);
            // Then every group has its result
            groups = tasks.stream()
                    .map(task -> run.log.await(
                            run.runId,
                            GroupSampled.class,
                            event -> event.groupId().equals(task.groupId()),
                            PATIENCE))
                    .toList();
            audit = audit(run.runId, ready, loaded, groups);
        }
        List<Sample> both = groups.stream()
                .flatMap(group -> group.samples().stream())
                .filter(sample -> sample.versions().size() == 2)
                .toList();
        assertThat(both)
                .as("samples that were on the way")
                .isNotEmpty()
                .allSatisfy(sample -> assertThat(sample.versions())
                        .extracting(VersionSpan::version)
                        .containsExactly(0, 1));
        assertThat(groups).allSatisfy(group -> assertThat(group.tokensAborted()).isZero());
        assertThat(audit.findings(1)).isEmpty();
        assertThat(audit.findings(0)).as("with these samples the lag is not 0").isNotEmpty();
        agree(mode, groups.getFirst().promptTokens().toArray(), both, older, newer);
    }

    private void agree(String mode, int[] prompt, List<Sample> samples, Path older, Path newer) throws Exception {
        List<double[]> byOlder = logprobs(prompt, samples, older);
        List<double[]> byNewer = logprobs(prompt, samples, newer);
        double farthest = 0;
        for (int i = 0; i < samples.size(); i++) {
            float[] given = samples.get(i).logprobs().toArray();
            int counted = samples.get(i).versions().getFirst().tokens();
            int change = 0;
            while (change < counted && near(given[change], byOlder.get(i)[change])) {
                change++;
            }
            // Tokens in doubt may count to the older version; when requests are aborted there are none.
            assertThat(mode.equals("abort") && change < counted).isFalse();
            for (int token = change; token < given.length; token++) {
                assertThat(near(given[token], byNewer.get(i)[token]))
                        .as(
                                "sample %d, token %d of %d, of which %d count to the older version",
                                i, token, given.length, counted)
                        .isTrue();
                farthest = Math.max(farthest, Math.abs(given[token] - byOlder.get(i)[token]));
            }
        }
        assertThat(farthest).as("the two versions are not alike").isGreaterThan(20 * PRECISION);
        System.out.printf("%s: %d samples by two versions agree with both%n", mode, samples.size());
    }

    private static boolean near(double one, double other) {
        return Math.abs(one - other) < PRECISION;
    }

    /** Log-probabilities of the samples' tokens by an engine that holds one version. */
    private List<double[]> logprobs(int[] prompt, List<Sample> samples, Path model) throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        ChildProcess engine = RunningRollout.startEngine(port, model, folder);
        try {
            SglangClient client = new SglangClient(URI.create("http://127.0.0.1:" + port), null);
            await().atMost(PATIENCE).until(() -> client.health(Duration.ofSeconds(30)));
            List<double[]> all = new ArrayList<>();
            for (Sample sample : samples) {
                int[] tokens = sample.tokens().toArray();
                int[] input = new int[prompt.length + tokens.length];
                System.arraycopy(prompt, 0, input, 0, prompt.length);
                System.arraycopy(tokens, 0, input, prompt.length, tokens.length);
                GenerateRequest request = new GenerateRequest(
                        null, null, input, SamplingParams.of(1, 1), true, 0, null, null, null, false, null);
                List<TokenLogprob> found =
                        client.generate(request, PATIENCE).meta().inputTokenLogprobs();
                all.add(found.stream()
                        .skip(prompt.length)
                        .mapToDouble(TokenLogprob::logprob)
                        .toArray());
            }
            return all;
        } finally {
            engine.stop(Duration.ofSeconds(5));
        }
    }

    /** What a trainer would have written that uses every group under version 1. */
    private static RunAudit audit(String runId, EngineReady ready, WeightsLoaded loaded, List<GroupSampled> groups) {
        RunAudit audit = new RunAudit(runId);
        audit.apply(ready, UUID.randomUUID());
        audit.apply(loaded, UUID.randomUUID());
        List<GroupUse> uses = new ArrayList<>();
        for (GroupSampled group : groups) {
            UUID id = UUID.randomUUID();
            audit.apply(group, id);
            uses.add(new GroupUse(group.groupId(), group.cursor(), group.round(), id.toString(), 0, 0, 1));
        }
        audit.apply(new BatchFormed(runId, 1, 1, uses, List.of(), GROUPS, 1, ""), UUID.randomUUID());
        return audit;
    }

    private static GroupRequested task(Scenario run, long cursor) {
        return new GroupRequested(
                run.runId,
                1,
                run.runId + "/" + cursor,
                cursor,
                0,
                1,
                run.instanceId,
                Prompt.of("12+34="),
                "46",
                "exact",
                Scenario.SAMPLES,
                // Of several lengths, so that there is no moment at which all that runs has just ended.
                new Sampling(1, 1, -1, MAX_TOKENS - 60 * (int) (cursor % 5), 42 + cursor),
                0,
                null,
                Instant.now().plus(PATIENCE),
                PartialRollout.CONTINUE,
                List.of(),
                null,
                null,
                null,
                null);
    }
}
