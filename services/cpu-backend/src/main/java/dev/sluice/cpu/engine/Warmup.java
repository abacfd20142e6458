package dev.sluice.cpu.engine;

import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A first sample that makes TorchScript profile and optimise its graphs, so that the first real request is not slow. It runs
 * before the scheduler exists and counts nowhere.
 */
final class Warmup {
    private static final int TOKENS = 8;

    private Warmup() {}

    /** Generates a few tokens and forgets them. */
    static void run(Generator generator, int contextLength) {
        Sampling sampling = new Sampling(
                Math.min(TOKENS, contextLength - 1),
                new Sampling.LawParams(1, true, 1, 1, 0),
                LogitAdjustment.NONE,
                new Sampling.Stops(List.of(), List.of(), Set.of(), true, true),
                true,
                OptionalLong.of(0),
                1,
                1);
        GenerationRequest request = new GenerationRequest(
                "warmup",
                new int[] {0},
                sampling,
                GenerationRequest.WantedLogprobs.NONE,
                new Coins(0),
                null,
                0,
                sample -> {});
        generator.admit(List.of(new Sequence(request, new StopCheck(Set.of(), null))));
        while (!generator.isIdle()) {
            generator.step();
        }
        generator.resetCounts();
    }
}
