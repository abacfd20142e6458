package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.SamplingParams;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Rows, chunks and neighbours are the engine's own affair: the tokens never tell. */
class BatchingTest {
    private static final long SEED = 20261124;
    private static final String[] EAGLE = {"--speculative-algorithm", "EAGLE"};

    @Test
    void requestsThatComeAndGoInEveryOrderGetTheTokensTheyGetAlone() throws IOException {
        List<GenerateRequest> requests = requests(40);
        for (String[] flags : List.of(new String[0], EAGLE)) {
            List<int[]> alone = generate(requests, flags, "--max-running-requests", "1");

            List<int[]> crowded = generate(requests, flags, "--max-running-requests", "7");

            for (int i = 0; i < requests.size(); i++) {
                assertThat(crowded.get(i)).as("request %d, seed %d", i, SEED).isEqualTo(alone.get(i));
            }
        }
    }

    @Test
    void aPromptComputedInChunksGivesTheSameTokens() throws IOException {
        List<GenerateRequest> requests = requests(12);
        for (String[] flags : List.of(new String[0], EAGLE)) {
            List<int[]> whole = generate(requests, flags);

            List<int[]> chunked = generate(requests, flags, "--chunked-prefill-size", "7");

            for (int i = 0; i < requests.size(); i++) {
                assertThat(chunked.get(i)).as("request %d, seed %d", i, SEED).isEqualTo(whole.get(i));
            }
        }
    }

    /** Greedy ones: sampled ones may flip where two batch sizes round a coin's neighbourhood differently. */
    private static List<GenerateRequest> requests(int count) {
        Random random = new Random(SEED);
        List<GenerateRequest> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] prompt = random.ints(1 + random.nextInt(50), 0, 300).toArray();
            // Every fourth shares the prompt of the one before it.
            if (i % 4 == 3) {
                prompt = requests.get(i - 1).inputIds();
            }
            requests.add(GenerateRequest.ofTokens("r" + i, prompt, SamplingParams.of(1 + random.nextInt(40), 0)));
        }
        return requests;
    }

    private static List<int[]> generate(List<GenerateRequest> requests, String[] flags, String... more)
            throws IOException {
        List<String> all = new ArrayList<>(List.of(flags));
        all.addAll(List.of(more));
        try (RunningEngine engine = RunningEngine.start(TestModels.TINY, all.toArray(String[]::new))) {
            return engine.client().generateAll(requests, RunningEngine.DEADLINE).stream()
                    .map(GenerateResponse::outputIds)
                    .toList();
        }
    }
}
