package dev.sluice.domain.plan;

import dev.sluice.events.Rollout.Speculation;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;

/**
 * Flags of {@code sglang.launch_server}, without {@code --model-path}, {@code --host} and {@code --port}, which belong to
 * the instance that launches.
 */
final class EngineArguments {
    private EngineArguments() {}

    static List<String> of(TrainingRequest request, int contextTokens, int maxRunningRequests, int nodes) {
        List<String> args = new ArrayList<>(List.of(
                "--context-length",
                Integer.toString(contextTokens),
                // With speculation SGLang would take 48 where this is absent.
                "--max-running-requests",
                Integer.toString(maxRunningRequests),
                "--random-seed",
                Integer.toString(Math.floorMod(request.data().seed(), Integer.MAX_VALUE))));
        args.addAll(speculation(request.rollout().speculation()));
        if (nodes > 1) {
            // SGLang splits an engine over nodes by its tensor parallel ranks alone.
            args.addAll(List.of("--tp-size", Integer.toString(nodes), "--nnodes", Integer.toString(nodes)));
        }
        args.add("--skip-server-warmup");
        args.add("--enable-metrics");
        if (request.rollout().streams()) {
            args.add("--incremental-streaming-output");
        }
        return List.copyOf(args);
    }

    private static List<String> speculation(Speculation speculation) {
        return switch (speculation.algorithm()) {
            case NONE, AUTO -> List.of(); // drafts do not pay on a CPU
            case EAGLE ->
                List.of(
                        "--speculative-algorithm",
                        "EAGLE",
                        "--speculative-num-steps",
                        Integer.toString(speculation.steps()),
                        "--speculative-eagle-topk",
                        "1",
                        // With top-k 1 the drafts are a chain: one token a step and the verified one.
                        "--speculative-num-draft-tokens",
                        Integer.toString(speculation.steps() + 1));
        };
    }
}
