package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How parallel sizes fill the training GPUs. */
final class ParallelConstraints {
    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "M01",
                    Severity.ERROR,
                    "training.layout",
                    "TP*PP*CP divides the training GPUs",
                    "Megatron arguments.py validate_args; parallel_state.initialize_model_parallel",
                    ParallelConstraints::modelGpus),
            new Constraint(
                    "M02",
                    Severity.ERROR,
                    "training.layout.ep",
                    "ETP*EP*PP divides the training GPUs",
                    "Megatron parallel_state.initialize_model_parallel",
                    ParallelConstraints::expertGpus),
            new Constraint(
                    "M05",
                    Severity.ERROR,
                    "training.layout.ep",
                    "EP above 1 divides the experts",
                    "Megatron arguments.py validate_args",
                    ParallelConstraints::expertsPerRank),
            new Constraint(
                    "M06",
                    Severity.ERROR,
                    "training.layout",
                    "TP and EP above 1 together need sequence parallelism",
                    "Megatron model_parallel_config (a warning there)",
                    ParallelConstraints::sequenceParallel),
            new Constraint(
                    "M07",
                    Severity.FIX,
                    "training.layout.tp",
                    "sequence parallelism needs TP above 1",
                    "Megatron validate_args; model_parallel_config",
                    ParallelConstraints::idleSequenceParallel),
            new Constraint(
                    "M45",
                    Severity.WARNING,
                    "training.layout.tp",
                    "TP and ETP stay inside a node",
                    "planner: tensor parallel all-gathers are on the critical path of each layer",
                    ParallelConstraints::insideNode));

    private ParallelConstraints() {}

    private static @Nullable Breach modelGpus(Candidate candidate) {
        Grid grid = Grid.of(candidate);
        if (grid.modelFits()) {
            return null;
        }
        Layout layout = grid.layout();
        if (!grid.positive() || grid.gpus() < 1) {
            return new Breach(
                    "training over %d GPUs with TP %d, PP %d and CP %d holds a size below 1"
                            .formatted(grid.gpus(), layout.tp(), layout.pp(), layout.cp()),
                    "set training.layout.tp, pp and cp, and the training GPUs of cluster, to at least 1");
        }
        return new Breach(
                "training uses %d GPUs, which copies of the model over TP*PP*CP = %d*%d*%d = %d GPUs do not fill"
                        .formatted(grid.gpus(), layout.tp(), layout.pp(), layout.cp(), grid.modelGpus()),
                modelGpusMend(grid));
    }

    /** One size to change, the others kept; the product where no single change does. */
    private static String modelGpusMend(Grid grid) {
        Layout layout = grid.layout();
        List<String> changes = new ArrayList<>();
        offer(changes, "tp", grid.tensorSizes());
        offer(changes, "pp", rest(grid.gpus(), (long) layout.tp() * layout.cp()));
        offer(changes, "cp", rest(grid.gpus(), (long) layout.tp() * layout.pp()));
        return changes.isEmpty()
                ? "choose TP, PP and CP whose product is " + Divisors.choice(Divisors.of(grid.gpus()))
                : "set training.layout." + String.join(", or ", changes);
    }

    private static List<Integer> rest(int gpus, long kept) {
        return gpus % kept == 0 ? Divisors.of((int) (gpus / kept)) : List.of();
    }

    private static void offer(List<String> changes, String size, List<Integer> legal) {
        if (!legal.isEmpty()) {
            changes.add(size + " to " + Divisors.choice(legal));
        }
    }

    private static @Nullable Breach expertGpus(Candidate candidate) {
        Grid grid = Grid.of(candidate);
        Layout layout = grid.layout();
        // A PP that does not fill the GPUs is told by M01, experts that are not there by M05.
        if (layout.pp() < 1 || grid.gpus() < 1 || grid.gpus() % layout.pp() != 0 || !hasExperts(candidate)) {
            return null;
        }
        if (!grid.expertsPositive()) {
            return new Breach(
                    "ETP %d and EP %d hold a size below 1".formatted(layout.etp(), layout.ep()),
                    "set training.layout.ep and etp to at least 1");
        }
        if (grid.gpus() % grid.expertGpus() == 0) {
            return null;
        }
        return new Breach(
                "training uses %d GPUs, which copies of the experts over ETP*EP*PP = %d*%d*%d = %d GPUs do not fill"
                        .formatted(grid.gpus(), layout.etp(), layout.ep(), layout.pp(), grid.expertGpus()),
                expertGpusMend(grid));
    }

    private static String expertGpusMend(Grid grid) {
        List<Integer> legal = grid.expertSizes();
        String ep = legal.isEmpty() ? "" : "set training.layout.ep to %s, or ".formatted(Divisors.choice(legal));
        long together = grid.positive() ? Divisors.multiple(grid.expertGpus(), grid.modelGpus()) : grid.expertGpus();
        return ep + "train on a multiple of %d GPUs".formatted(together);
    }

    private static boolean hasExperts(Candidate candidate) {
        return candidate.model().expertCount() > 0
                || candidate.training().layout().ep() == 1;
    }

    private static @Nullable Breach expertsPerRank(Candidate candidate) {
        int experts = candidate.model().expertCount();
        int ep = candidate.training().layout().ep();
        if (ep <= 1 || experts > 0 && experts % ep == 0) {
            return null;
        }
        if (experts == 0) {
            return new Breach(
                    "EP is %d, but the model is dense: it has no experts to spread".formatted(ep),
                    "set training.layout.ep to 1 (--expert-model-parallel-size 1)");
        }
        List<Integer> legal = Grid.of(candidate).expertSizes();
        return new Breach(
                "%d experts do not divide over EP %d; training has no redundant experts".formatted(experts, ep),
                "set training.layout.ep to " + Divisors.choice(legal.isEmpty() ? Divisors.of(experts) : legal));
    }

    private static @Nullable Breach sequenceParallel(Candidate candidate) {
        Layout layout = candidate.training().layout();
        if (layout.tp() <= 1 || layout.ep() <= 1 || candidate.training().sequenceParallel()) {
            return null;
        }
        return new Breach(
                "TP %d and EP %d without sequence parallelism: Megatron only warns, but does not support training experts so"
                        .formatted(layout.tp(), layout.ep()),
                "add --sequence-parallel, or set training.layout.tp to 1");
    }

    private static @Nullable Breach idleSequenceParallel(Candidate candidate) {
        if (candidate.training().layout().tp() != 1 || !candidate.training().sequenceParallel()) {
            return null;
        }
        return new Breach(
                "sequence parallelism is on, but TP is 1: there is no rank to split a sequence over",
                "nothing to do: --sequence-parallel is left out, as Megatron itself does");
    }

    private static @Nullable Breach insideNode(Candidate candidate) {
        Grid grid = Grid.of(candidate);
        int node = candidate.cluster().gpusPerNode();
        if (!grid.modelFits() || node < 1 || grid.gpus() <= node) {
            return null;
        }
        Layout layout = grid.layout();
        String crossing = crosses(layout.tp(), node)
                ? "TP " + layout.tp()
                : crosses(layout.etp(), node) ? "ETP " + layout.etp() : null;
        if (crossing == null) {
            return null;
        }
        return new Breach(
                "%s crosses nodes of %d GPUs: all-gathers of each layer run over the network".formatted(crossing, node),
                "prefer PP, CP or EP across nodes, and sizes of %s inside one"
                        .formatted(Divisors.choice(Divisors.of(node))));
    }

    private static boolean crosses(int size, int node) {
        return size > 1 && node % size != 0;
    }
}
