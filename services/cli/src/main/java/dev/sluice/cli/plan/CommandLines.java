package dev.sluice.cli.plan;

import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The command lines of worker and engine as a shell takes them; a word is never broken, so that they can be copied. */
record CommandLines(TrainingRequest request, Plan plan, Machines machines) {
    private static final String INDENT = "    ";
    private static final String CONTINUED = " \\";
    private static final String PLAIN = "[\\w@%+=:,./-]+";

    List<String> lines(int columns) {
        List<String> lines = new ArrayList<>();
        lines.add(
                plan.training().gpus() == 0
                        ? "# training; WORKER is sluice.trainer.worker.command"
                        : "# training; WORKER is -m sluice_megatron");
        lines.addAll(command(worker(), plan.training().args(), plan.training().environment(), columns));
        if (plan.rollout().engines() > 0) {
            lines.add("");
            lines.add("# rollout, %s%s; host and port are added"
                    .formatted(Figures.some(plan.rollout().engines(), "such engine"), ofNodes()));
            lines.addAll(command(engine(), engineArgs(), plan.rollout().environment(), columns));
        }
        return lines;
    }

    private String worker() {
        int gpus = plan.training().gpus();
        return gpus == 0
                ? "WORKER"
                : "torchrun --nnodes %d --nproc-per-node %d WORKER"
                        .formatted(
                                plan.training().nodes(machines.gpusPerNode()),
                                plan.training().ranksPerNode(machines.gpusPerNode()));
    }

    private String engine() {
        return plan.backend() == Backend.GPU ? "python3 -m sglang.launch_server" : "ENGINE";
    }

    /** Each node runs the same command; what differs stands in capitals. */
    private String ofNodes() {
        int nodes = plan.rollout().nodesPerEngine();
        return nodes == 1
                ? ""
                : " of %d nodes; RANK of a node is 0 to %d, HEAD:PORT where all meet node 0"
                        .formatted(nodes, nodes - 1);
    }

    private List<String> engineArgs() {
        String path = request.model().rolloutPath() == null
                ? request.model().path()
                : request.model().rolloutPath();
        List<String> args = new ArrayList<>(List.of("--model-path", path));
        args.addAll(plan.rollout().args());
        if (plan.rollout().nodesPerEngine() > 1) {
            args.addAll(List.of("--node-rank", "RANK", "--dist-init-addr", "HEAD:PORT"));
        }
        return args;
    }

    private static List<String> command(
            String program, List<String> args, Map<String, String> environment, int columns) {
        List<String> lines = new ArrayList<>();
        new TreeMap<>(environment).forEach((name, value) -> lines.add(name + "=" + quoted(value) + CONTINUED));
        StringBuilder line = new StringBuilder(program);
        for (String flag : flags(args)) {
            if (line.length() + 1 + flag.length() + CONTINUED.length() > columns) {
                lines.add(line.append(CONTINUED).toString());
                line = new StringBuilder(INDENT).append(flag);
            } else {
                line.append(' ').append(flag);
            }
        }
        lines.add(line.toString());
        return lines;
    }

    /** Each flag with its values. */
    private static List<String> flags(List<String> args) {
        List<String> flags = new ArrayList<>();
        for (String arg : args) {
            boolean value = !arg.startsWith("--") && !flags.isEmpty();
            flags.add(value ? flags.removeLast() + " " + quoted(arg) : quoted(arg));
        }
        return flags;
    }

    private static String quoted(String word) {
        return word.matches(PLAIN) ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
