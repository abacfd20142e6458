package dev.sluice.rollout.engine;

import dev.sluice.domain.arguments.SglangFlags;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The closed list of SGLang flags that a plan may carry. Paths, addresses and everything that makes an engine run other
 * code are ours to give, so they are not in it.
 *
 * @see <a href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/server_args.py">server_args.py</a>
 */
final class EngineArguments {
    private static final int MAX_ARGUMENTS = 200;
    private static final String SPECULATION = "--speculative-";
    private static final String DRAFT_BACKUP = "--enable-draft-weights-cpu-backup";
    private static final String DRAFT_PATH = "--speculative-draft-model-path";
    /** Planned for every model; only the program's own configuration can allow it. */
    private static final String REMOTE_CODE = "--trust-remote-code";

    static final Set<String> ALLOWED = Set.of(
            "--attention-backend",
            "--chunked-prefill-size",
            "--context-length",
            "--cuda-graph-backend-decode",
            "--cuda-graph-backend-prefill",
            "--cuda-graph-bs",
            "--cuda-graph-max-bs",
            "--cuda-graph-max-bs-decode",
            "--deepep-mode",
            "--data-parallel-size",
            "--decode-log-interval",
            "--disable-cuda-graph",
            "--disable-custom-all-reduce",
            "--disable-overlap-schedule",
            "--disable-piecewise-cuda-graph",
            "--disable-radix-cache",
            "--dp-size",
            "--dtype",
            "--enable-deepep-moe",
            "--enable-deterministic-inference",
            "--enable-dp-attention",
            "--enable-dp-lm-head",
            DRAFT_BACKUP,
            "--enable-ep-moe",
            "--enable-eplb",
            "--enable-memory-saver",
            "--enable-metrics",
            "--enable-return-routed-experts",
            "--enable-weights-cpu-backup",
            "--ep",
            "--ep-dispatch-algorithm",
            "--ep-num-redundant-experts",
            "--ep-size",
            "--expert-parallel-size",
            "--incremental-streaming-output",
            "--kv-cache-dtype",
            "--load-balance-method",
            "--log-level",
            "--mamba-radix-cache-strategy",
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
            DRAFT_PATH,
            "--speculative-eagle-topk",
            "--speculative-num-draft-tokens",
            "--speculative-num-steps",
            "--stream-interval",
            "--tensor-parallel-size",
            "--tp",
            "--tp-size",
            "--watchdog-timeout");

    /** What a request may ask for on its own, which the planner checks by the same table. */
    private static final Set<String> FREE = SglangFlags.free();

    private EngineArguments() {}

    /**
     * The plan's arguments, checked. {@code --trust-remote-code} is left out: whether an engine may run a model's own code
     * is said by the program's configuration, never by an event.
     *
     * @param objection what is wrong with a path, if anything
     * @throws IllegalArgumentException if there is a flag that is not in the list, or a path that is not allowed; all are named
     */
    static List<String> check(List<String> args, Function<String, Optional<String>> objection) {
        if (args.size() > MAX_ARGUMENTS) {
            throw new IllegalArgumentException(
                    "the plan has " + args.size() + " engine arguments; at most " + MAX_ARGUMENTS + " are taken");
        }
        TreeSet<String> strangers = new TreeSet<>();
        List<String> checked = new ArrayList<>();
        for (String arg : args) {
            if (arg.startsWith("--") && !isKnown(flag(arg))) {
                strangers.add(flag(arg));
            }
            if (!arg.equals(REMOTE_CODE)) {
                checked.add(arg);
            }
        }
        if (!strangers.isEmpty()) {
            throw new IllegalArgumentException("the plan's engine arguments hold " + strangers
                    + ", which are not among the flags that an event may give");
        }
        value(args, DRAFT_PATH).flatMap(objection).ifPresent(wrong -> {
            throw new IllegalArgumentException(DRAFT_PATH + ": " + wrong);
        });
        return checked;
    }

    private static boolean isKnown(String flag) {
        return ALLOWED.contains(flag) || FREE.contains(flag) || flag.equals(REMOTE_CODE);
    }

    private static String flag(String arg) {
        return arg.contains("=") ? arg.substring(0, arg.indexOf('=')) : arg;
    }

    /** The value of a flag; empty where it is not given or has none. */
    static Optional<String> value(List<String> args, String flag) {
        Optional<String> value = Optional.empty();
        for (int i = 0; i < args.size(); i++) {
            String arg = args.get(i);
            if (arg.startsWith(flag + "=")) {
                value = Optional.of(arg.substring(flag.length() + 1));
            } else if (arg.equals(flag) && i + 1 < args.size()) {
                value = Optional.of(args.get(i + 1));
            }
        }
        return value;
    }

    /** Data-parallel ranks of an engine with these arguments; 1 where they do not say. */
    static int dataParallelRanks(List<String> args) {
        return value(args, "--dp-size")
                .filter(text -> text.matches("[0-9]{1,4}"))
                .map(Integer::parseInt)
                .orElse(1);
    }

    /** GPUs of an engine with these arguments, over all of its nodes. */
    static int gpus(List<String> args) {
        int replicas = args.contains("--enable-dp-attention") ? 1 : number(args, "--dp-size", "--data-parallel-size");
        return replicas * number(args, "--tp-size", "--tensor-parallel-size", "--tp") * number(args, "--pp-size");
    }

    private static int number(List<String> args, String... names) {
        return Stream.of(names)
                .flatMap(name -> value(args, name).stream())
                .filter(text -> text.matches("[0-9]{1,4}"))
                .mapToInt(Integer::parseInt)
                .findFirst()
                .orElse(1);
    }

    /** Whether an engine with these arguments drafts. */
    static boolean haveSpeculation(List<String> args) {
        return args.stream().anyMatch(arg -> arg.startsWith(SPECULATION));
    }

    /** The same without everything that makes an engine draft. */
    static List<String> withoutSpeculation(List<String> args) {
        List<String> kept = new ArrayList<>();
        boolean dropping = false;
        for (String arg : args) {
            if (arg.startsWith("--")) {
                dropping = arg.startsWith(SPECULATION) || arg.equals(DRAFT_BACKUP);
            }
            if (!dropping) {
                kept.add(arg);
            }
        }
        return kept;
    }

    /** The same without a flag that has one value. */
    static List<String> without(List<String> args, String flag) {
        List<String> kept = new ArrayList<>();
        for (int i = 0; i < args.size(); i++) {
            if (args.get(i).equals(flag)) {
                i++; // its value
            } else if (!args.get(i).startsWith(flag + "=")) {
                kept.add(args.get(i));
            }
        }
        return kept;
    }
}
