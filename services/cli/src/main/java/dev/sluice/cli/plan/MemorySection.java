package dev.sluice.cli.plan;

import static dev.sluice.cli.plan.Figures.gib;

import dev.sluice.events.Plan;
import dev.sluice.events.Plan.Memory;
import dev.sluice.events.Plan.Part;
import dev.sluice.events.Plan.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** Memory of the fullest training GPU, of an engine's GPU and of a host, each as a bar to scale. */
record MemorySection(Plan plan, Machines machines) {
    /** More pipeline stages than these are told by the first ones, the fullest and the last. */
    private static final int SHOWN_STAGES = 16;

    private static final int STAGE_WORDS = 22;

    void write(Page page) {
        Memory memory = plan.training().memory();
        page.heading("Memory, GiB");
        if (memory.gpuGiB() > 0) {
            gpu(page, "training GPU", memory.gpuGiB(), memory.gpu(), limit());
            stages(page, plan.training().stages());
        }
        if (!plan.rollout().memory().isEmpty()) {
            double engine =
                    plan.rollout().memory().stream().mapToDouble(Part::amount).sum();
            // The limit is training's: engines take what their share of the memory says.
            gpu(page, "engine GPU", engine, plan.rollout().memory(), OptionalDouble.empty());
        }
        if (memory.hostGiBPerNode() > 0) {
            host(page, memory);
        }
    }

    private void gpu(Page page, String label, double used, List<Part> parts, OptionalDouble limit) {
        String of = machines.gpuGiB().map(whole -> " of " + gib(whole)).orElse("");
        String marked = limit.isPresent() ? ", at most %s (┃)".formatted(gib(limit.getAsDouble())) : "";
        Bar bar = new Bar(Bar.complete(parts, used), gpuScale(used), limit);
        bar(page, label, bar, gib(used) + of + marked);
    }

    private void host(Page page, Memory memory) {
        double used = memory.hostGiBPerNode();
        double scale = Math.max(used, machines.hostGiB().orElse(0.0));
        Bar bar = new Bar(Bar.complete(memory.host(), used), scale, OptionalDouble.empty());
        bar(
                page,
                plan.training().gpus() > 0 ? "host" : "training",
                bar,
                gib(used) + machines.hostGiB().map(whole -> " of " + gib(whole)).orElse(", of an unstated total"));
    }

    private static void bar(Page page, String label, Bar bar, String total) {
        page.entry(label, bar.line(page.room()));
        page.entry("", total + ": " + bar.legend(Figures::gib));
    }

    private void stages(Page page, List<Stage> stages) {
        if (stages.size() < 2) {
            return;
        }
        int before = -1;
        for (int stage : shown(stages)) {
            if (stage > before + 1) {
                page.entry("  …", "");
            }
            Stage here = stages.get(stage);
            Bar bar = new Bar(List.of(new Part("stage", here.gpuGiB())), gpuScale(here.gpuGiB()), limit());
            String words = gib(here.gpuGiB()) + ", " + StageLayers.of(stages, stage);
            page.entry("  stage " + stage, bar.line(page.room() - STAGE_WORDS) + " " + words);
            before = stage;
        }
    }

    private static List<Integer> shown(List<Stage> stages) {
        int fullest = 0;
        for (int stage = 1; stage < stages.size(); stage++) {
            fullest = stages.get(stage).gpuGiB() > stages.get(fullest).gpuGiB() ? stage : fullest;
        }
        int shown = fullest;
        return IntStream.range(0, stages.size())
                .filter(stage -> stages.size() <= SHOWN_STAGES
                        || stage < SHOWN_STAGES - 2
                        || stage == shown
                        || stage == stages.size() - 1)
                .boxed()
                .toList();
    }

    /** All bars of GPUs share it, so that they can be compared. */
    private double gpuScale(double used) {
        List<Double> scales =
                new ArrayList<>(List.of(used, plan.training().memory().gpuGiB()));
        machines.gpuGiB().ifPresent(scales::add);
        limit().ifPresent(scales::add);
        return scales.stream().mapToDouble(Double::doubleValue).max().orElse(used);
    }

    private OptionalDouble limit() {
        double limit = plan.training().memory().gpuLimitGiB();
        return limit > 0 ? OptionalDouble.of(limit) : OptionalDouble.empty();
    }
}
