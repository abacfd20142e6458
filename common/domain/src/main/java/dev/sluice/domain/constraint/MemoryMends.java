package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.memory.PipelineStages;
import dev.sluice.domain.memory.TrainingMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/** What makes training fit, cheapest first: fewer tokens, recomputation, CPU Adam, more parallelism, more nodes. */
final class MemoryMends {
    private static final int SMALLEST_MICRO_BATCH = 4096;
    private static final int TOLD = 3;
    private static final int MOST_NODES = 1024;

    private MemoryMends() {}

    /** A mend and the candidate that has it. */
    private record Change(String mend, Candidate candidate) {}

    /** The mends that suffice alone, or the first ones together. */
    static String of(Candidate candidate) {
        List<String> sufficient = new ArrayList<>();
        for (Change change : changes(candidate)) {
            if (fits(change.candidate())) {
                sufficient.add(told(change));
            }
        }
        if (!sufficient.isEmpty()) {
            return String.join("; or ", sufficient.subList(0, Math.min(TOLD, sufficient.size())));
        }
        return together(candidate);
    }

    private static String together(Candidate candidate) {
        List<String> taken = new ArrayList<>();
        Candidate changed = candidate;
        while (true) {
            double before = TrainingMemory.of(changed).gib();
            List<Change> helpful = changes(changed).stream()
                    .filter(change -> possible(change.candidate())
                            && TrainingMemory.of(change.candidate()).gib() < before)
                    .toList();
            if (helpful.isEmpty()) {
                return "use GPUs with more memory (cluster.gpu)";
            }
            taken.add(helpful.getFirst().mend());
            changed = helpful.getFirst().candidate();
            if (fits(changed)) {
                return "together: " + String.join(", ", taken)
                        + String.format(
                                Locale.ROOT,
                                " (%.1f GiB)",
                                TrainingMemory.of(changed).gib());
            }
        }
    }

    private static String told(Change change) {
        return change.mend()
                + String.format(
                        Locale.ROOT,
                        " (%.1f GiB)",
                        TrainingMemory.of(change.candidate()).gib());
    }

    private static List<Change> changes(Candidate candidate) {
        TrainingSide side = candidate.training();
        Layout layout = side.layout();
        List<Change> changes = new ArrayList<>();
        int longest = Math.ceilDiv(candidate.workload().longestSampleTokens(), layout.cp());
        int fewest = Math.max(SMALLEST_MICRO_BATCH, longest);
        if (side.tokensPerGpu() > fewest) {
            changes.add(new Change(
                    "set training.layout.tokensPerGpu to " + fewest,
                    candidate.with(side.with(layout, fewest, side.recompute(), side.optimizer()))));
        }
        if (side.recompute() != Recompute.FULL) {
            changes.add(new Change(
                    "set training.layout.recompute to full",
                    candidate.with(side.with(layout, side.tokensPerGpu(), Recompute.FULL, side.optimizer()))));
        }
        if (side.optimizer().offloadFraction() < 1) {
            changes.add(new Change(
                    "set training.layout.cpuAdam to 1",
                    candidate.with(side.with(layout, side.tokensPerGpu(), side.recompute(), Optimizer.CPU))));
        }
        changes.add(resized(candidate, "cp", layout.cp() * 2, layout.tp(), layout.cp() * 2, layout.ep()));
        changes.addAll(onMoreExpertRanks(candidate));
        changes.add(resized(candidate, "tp", layout.tp() * 2, layout.tp() * 2, layout.cp(), layout.ep()));
        changes.add(withStages(candidate, layout.pp() * 2));
        changes.addAll(onMoreNodes(candidate));
        return changes;
    }

    private static Change resized(Candidate candidate, String what, int size, int tp, int cp, int ep) {
        Layout old = candidate.training().layout();
        Layout layout = new Layout(tp, old.pp(), cp, ep, old.etp(), old.firstStageLayers(), old.lastStageLayers());
        return new Change("set training.layout.%s to %d".formatted(what, size), with(candidate, layout));
    }

    /** The next expert parallel sizes that the experts and the GPUs allow, until training fits. */
    private static List<Change> onMoreExpertRanks(Candidate candidate) {
        List<Change> changes = new ArrayList<>();
        Layout layout = candidate.training().layout();
        for (int ep : Grid.of(candidate).expertSizes()) {
            if (ep > layout.ep()
                    && (changes.isEmpty() || !fits(changes.getLast().candidate()))) {
                changes.add(resized(candidate, "ep", ep, layout.tp(), layout.cp(), ep));
            }
        }
        return changes;
    }

    /** Even stages where the layers divide, else a smaller last one. */
    private static Change withStages(Candidate candidate, int stages) {
        Layout old = candidate.training().layout();
        int layers = candidate.model().layers();
        OptionalInt last = layers % stages == 0 ? OptionalInt.empty() : Stages.lastStage(layers, stages);
        Integer lastLayers = last.isPresent() ? last.getAsInt() : null;
        Layout layout = new Layout(old.tp(), stages, old.cp(), old.ep(), old.etp(), null, lastLayers);
        return new Change(
                "set training.layout.pp to %d%s"
                        .formatted(stages, lastLayers == null ? "" : " and lastStageLayers to " + lastLayers),
                with(candidate, layout));
    }

    private static Candidate with(Candidate candidate, Layout layout) {
        TrainingSide side = candidate.training();
        return candidate.with(side.with(layout, side.tokensPerGpu(), side.recompute(), side.optimizer()));
    }

    /** Twice as many nodes, and again, until training fits. */
    private static List<Change> onMoreNodes(Candidate candidate) {
        List<Change> changes = new ArrayList<>();
        int nodes = candidate.cluster().trainNodes();
        while (nodes <= MOST_NODES / 2
                && (changes.isEmpty() || !fits(changes.getLast().candidate()))) {
            nodes *= 2;
            int gpus = nodes * candidate.cluster().gpusPerNode();
            changes.add(new Change(
                    "use %d training nodes".formatted(nodes),
                    candidate.with(candidate.cluster().withTrainGpus(gpus))));
        }
        return changes;
    }

    private static boolean possible(Candidate candidate) {
        Grid grid = Grid.of(candidate);
        Layout layout = grid.layout();
        int experts = candidate.model().expertCount();
        return grid.modelFits()
                && grid.expertsFit()
                && candidate.model().attention().heads() % layout.tp() == 0
                && AttentionConstraints.groupsFit(candidate, layout.tp())
                && (layout.ep() == 1 || experts > 0 && experts % layout.ep() == 0)
                && PipelineStages.of(candidate.model().layers(), layout).isPresent();
    }

    private static boolean fits(Candidate candidate) {
        return possible(candidate) && TrainingMemory.of(candidate).gib() <= TrainingMemory.limitGiB(candidate);
    }
}
