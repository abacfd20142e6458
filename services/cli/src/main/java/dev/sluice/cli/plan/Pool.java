package dev.sluice.cli.plan;

import dev.sluice.cli.TextTable;
import dev.sluice.events.Plan;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * GPUs that are drawn together, in nodes of {@code gpusPerNode}.
 *
 * @param title of one of its nodes, such as {@code training node}
 * @param gpus in all
 * @param ranks of training, 0 where the pool only samples
 * @param bands rows that belong together
 */
record Pool(String title, int gpus, int gpusPerNode, int ranks, List<List<GridRow>> bands) {
    /** More nodes than these are told in a table: they repeat the first. */
    private static final int DRAWN_NODES = 2;

    private static final int TOLD_NODES = 6;

    /** The pools of a plan: one where rollout and training share GPUs, else two; none without GPUs. */
    static List<Pool> of(Plan plan, int gpusPerNode, boolean colocated) {
        int training = plan.training().gpus();
        int rollout = plan.rollout().engines() * plan.rollout().gpusPerEngine();
        List<Pool> pools = new ArrayList<>();
        if (colocated) {
            int gpus = Math.max(training, rollout);
            List<List<GridRow>> bands = new ArrayList<>(training(plan, gpus));
            bands.add(EngineRanks.of(plan.rollout(), gpus).rows());
            pools.add(new Pool("node", gpus, gpusPerNode, training, bands));
        } else {
            pools.add(new Pool("training node", training, gpusPerNode, training, training(plan, training)));
            List<List<GridRow>> bands =
                    List.of(EngineRanks.of(plan.rollout(), rollout).rows());
            pools.add(new Pool("rollout node", rollout, gpusPerNode, 0, bands));
        }
        return pools.stream().filter(pool -> pool.gpus() > 0).toList();
    }

    private static List<List<GridRow>> training(Plan plan, int pool) {
        TrainingRanks ranks =
                new TrainingRanks(plan.training().layout(), plan.training().gpus(), pool);
        return ranks.gpus() == 0 ? List.of() : List.of(ranks.dense(plan.training()), ranks.experts());
    }

    int nodes() {
        return Math.ceilDiv(gpus, gpusPerNode);
    }

    void draw(Page page) {
        int drawn = nodes() > DRAWN_NODES ? 1 : nodes();
        for (int node = 0; node < drawn; node++) {
            page.gap();
            page.text(name(node));
            page.drawn(new GpuGrid(bands, first(node), end(node), 0).lines(page.width()));
        }
        if (drawn < nodes()) {
            page.gap();
            page.text("%ss 1-%d, where they differ:".formatted(title, nodes() - 1));
            page.table(others());
        }
    }

    private String name(int node) {
        int last = Math.min(end(node), ranks) - 1;
        String name = title + " " + node;
        if (last < first(node)) {
            return name;
        }
        return last == first(node)
                ? "%s, training rank %d".formatted(name, last)
                : "%s, training ranks %d-%d".formatted(name, first(node), last);
    }

    private TextTable others() {
        List<GridRow> rows =
                bands.stream().flatMap(List::stream).filter(this::differs).toList();
        List<String> headings = new ArrayList<>(List.of("node"));
        rows.forEach(row -> headings.add(row.label()));
        TextTable table = new TextTable(headings.toArray(String[]::new));
        for (int node : told()) {
            List<Object> cells = new ArrayList<>(List.of(node));
            rows.forEach(row -> cells.add(row.range(first(node), end(node))));
            if (node == nodes() - 1 && nodes() - 1 > TOLD_NODES) {
                table.row(headings.stream().map(heading -> "…").toArray());
            }
            table.row(cells.toArray());
        }
        return table;
    }

    /** The nodes after the first: all, or the second to fourth and the last. */
    private List<Integer> told() {
        return IntStream.range(1, nodes())
                .filter(node -> nodes() - 1 <= TOLD_NODES || node <= TOLD_NODES / 2 || node == nodes() - 1)
                .boxed()
                .toList();
    }

    private boolean differs(GridRow row) {
        return IntStream.range(1, nodes())
                .anyMatch(node -> !row.range(first(node), end(node)).equals(row.range(first(0), end(0))));
    }

    private int first(int node) {
        return node * gpusPerNode;
    }

    private int end(int node) {
        return Math.min(gpus, (node + 1) * gpusPerNode);
    }
}
