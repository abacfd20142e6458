package dev.sluice.rollout.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The closed list of SGLang flags that a plan may carry. Paths, addresses and everything that makes an engine run other
 * code are ours to give, so they are not in it.
 *
 * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/server_args.py">server_args.py</a>
 */
final class EngineArguments {
    private static final int MAX_ARGUMENTS = 200;

    static final Set<String> ALLOWED = Set.of(
            "--attention-backend",
            "--chunked-prefill-size",
            "--context-length",
            "--cuda-graph-backend-decode",
            "--cuda-graph-backend-prefill",
            "--cuda-graph-bs",
            "--cuda-graph-max-bs",
            "--cuda-graph-max-bs-decode",
            "--data-parallel-size",
            "--decode-log-interval",
            "--disable-cuda-graph",
            "--disable-custom-all-reduce",
            "--disable-overlap-schedule",
            "--disable-radix-cache",
            "--dp-size",
            "--dtype",
            "--enable-deterministic-inference",
            "--enable-dp-attention",
            "--enable-dp-lm-head",
            "--enable-memory-saver",
            "--enable-metrics",
            "--enable-return-routed-experts",
            "--enable-weights-cpu-backup",
            "--ep",
            "--ep-num-redundant-experts",
            "--ep-size",
            "--expert-parallel-size",
            "--kv-cache-dtype",
            "--load-balance-method",
            "--log-level",
            "--max-prefill-tokens",
            "--max-queued-requests",
            "--max-running-requests",
            "--max-total-tokens",
            "--mem-fraction-static",
            "--moe-a2a-backend",
            "--moe-dense-tp-size",
            "--moe-dp-size",
            "--moe-runner-backend",
            "--page-size",
            "--pp-size",
            "--quantization",
            "--random-seed",
            "--sampling-backend",
            "--schedule-conservativeness",
            "--schedule-policy",
            "--served-model-name",
            "--skip-server-warmup",
            "--speculative-accept-threshold-acc",
            "--speculative-accept-threshold-single",
            "--speculative-algorithm",
            "--speculative-eagle-topk",
            "--speculative-num-draft-tokens",
            "--speculative-num-steps",
            "--stream-interval",
            "--tensor-parallel-size",
            "--tp",
            "--tp-size",
            "--watchdog-timeout");

    private EngineArguments() {}

    /**
     * The plan's arguments, checked.
     *
     * @throws IllegalArgumentException if there is a flag that is not in the list; all of them are named
     */
    static List<String> check(List<String> args) {
        if (args.size() > MAX_ARGUMENTS) {
            throw new IllegalArgumentException(
                    "the plan has " + args.size() + " engine arguments; at most " + MAX_ARGUMENTS + " are taken");
        }
        TreeSet<String> strangers = new TreeSet<>();
        List<String> checked = new ArrayList<>();
        for (String arg : args) {
            String flag = arg.contains("=") ? arg.substring(0, arg.indexOf('=')) : arg;
            if (arg.startsWith("--") && !ALLOWED.contains(flag)) {
                strangers.add(flag);
            }
            checked.add(arg);
        }
        if (!strangers.isEmpty()) {
            throw new IllegalArgumentException("the plan's engine arguments hold " + strangers
                    + ", which are not among the " + ALLOWED.size() + " flags that an event may give");
        }
        return checked;
    }
}
