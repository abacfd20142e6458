package dev.sluice.domain.slime;

import dev.sluice.domain.slime.Finding.Kind;
import dev.sluice.domain.slime.Finding.Severity;

/** The loss, and how a step's samples are divided over optimizer steps: {@code algorithm}. */
record AlgorithmFlags(Draft draft) {
    private static final String BATCH = "--global-batch-size";
    private static final String TIS_FUNCTION = "--custom-tis-function-path";
    private static final String STEPS = "--num-steps-per-rollout";

    void read() {
        double low = draft.number("--eps-clip", 0.2);
        draft.put("algorithm.clipHigh", draft.number("--eps-clip-high", low));
        draft.put("algorithm.oldLogprobs", draft.has("--use-rollout-logprobs") ? "rollout" : "auto");
        draft.put("algorithm.lossNormaliser", draft.has("--calculate-per-token-loss") ? "token" : "sample");
        correction();
        new ModelFlags(draft).read();
        optimizerSteps();
    }

    private void correction() {
        if (!draft.has("--use-tis")) {
            draft.put("algorithm.mismatchCorrection.type", "none");
            return;
        }
        String function = draft.text(TIS_FUNCTION).orElse("");
        boolean icepop = function.endsWith(".icepop_function");
        if (!function.isEmpty() && !icepop) {
            draft.findings()
                    .error(
                            Kind.UNSUPPORTED,
                            draft.place(TIS_FUNCTION),
                            TIS_FUNCTION,
                            "Sluice loads no Python function of a script; of slime's own it has icepop_function, and what"
                                    + " mis.py computes stands in algorithm.mismatchCorrection",
                            "remove it, for the clipped ratio of --use-tis alone, and set level and veto in the request");
        }
        draft.put("algorithm.mismatchCorrection.type", icepop ? "icepop" : "tis");
        draft.put("algorithm.mismatchCorrection.low", draft.number("--tis-clip-low", 0));
        draft.put("algorithm.mismatchCorrection.high", draft.number("--tis-clip", 2));
    }

    private void optimizerSteps() {
        if (!draft.has(BATCH) && !draft.has(STEPS)) {
            draft.missing(BATCH, "give --global-batch-size or --num-steps-per-rollout");
            return;
        }
        long samples = draft.whole("--rollout-batch-size", 0) * draft.whole("--n-samples-per-prompt", 1);
        if (samples <= 0) {
            return;
        }
        long batch = draft.whole(BATCH, 0);
        draft.whole(STEPS).ifPresentOrElse(steps -> given(steps, samples, batch), () -> divided(samples, batch));
    }

    private void given(long steps, long samples, long batch) {
        draft.put("training.optimizerStepsPerStep", steps);
        boolean fits = steps > 0 && samples % steps == 0 && (batch == 0 || batch == samples / steps);
        if (!fits) {
            String size = steps > 0 && samples % steps == 0 ? Long.toString(samples / steps) : "a whole number";
            rule(
                    STEPS,
                    "R02",
                    "%d samples in %d optimizer steps make a global batch of %s, not %d"
                            .formatted(samples, steps, size, batch),
                    batch == 0 ? "use a divisor of %d".formatted(samples) : "remove --global-batch-size");
        }
    }

    private void divided(long samples, long batch) {
        if (batch <= 0) {
            return; // unknown, or refused as a value
        }
        draft.put("training.optimizerStepsPerStep", Math.max(1, samples / batch));
        if (samples % batch != 0) {
            long below = Math.max(1, samples / batch);
            rule(
                    BATCH,
                    "R01",
                    "%d samples of a step are not a multiple of the global batch %d; %d of them would be dropped"
                            .formatted(samples, batch, samples % batch),
                    samples % below == 0
                            ? "set it to %d".formatted(samples / below)
                            : "use a divisor of %d".formatted(samples));
        }
    }

    private void rule(String flag, String rule, String message, String mend) {
        draft.findings().add(new Finding(Kind.VALUE, Severity.ERROR, draft.place(flag), flag, message, mend, rule));
    }
}
