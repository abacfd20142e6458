package dev.sluice.domain.plan;

import dev.sluice.domain.candidate.TrainingSide.Optimizer;

/** Where Adam's state lies, in words. */
final class Adam {
    private Adam() {}

    static String of(Optimizer optimizer) {
        double share = optimizer.offloadFraction();
        if (share == 1) {
            return "CPU Adam";
        }
        if (share > 0) {
            return "%d %% of Adam on the CPU".formatted(Math.round(share * 100));
        }
        return optimizer.precisionAware() ? "precision-aware Adam" : "GPU Adam";
    }
}
