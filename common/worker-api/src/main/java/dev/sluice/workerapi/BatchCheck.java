package dev.sluice.workerapi;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The rules that a batch's columns obey; all that are broken are named at once. */
final class BatchCheck {
    private static final int SHOWN_PROBLEMS = 10;

    private final List<String> problems = new ArrayList<>();

    private BatchCheck() {}

    record Tokens(
            int[] ids,
            byte[] lossMask,
            float[] advantages,
            float[] rolloutLogprobs,
            int[] weightVersions,
            Map<Batch.Column, float[]> optional) {}

    record Samples(
            int[] cuSeqlens,
            int[] promptLengths,
            long[] ids,
            int[] groups,
            float[] lossDenominators,
            byte[] truncated,
            int[] schedule) {}

    static void check(Batch.Header header, Tokens tokens, Samples samples) {
        BatchCheck check = new BatchCheck();
        check.header(header);
        check.lengths(tokens, samples);
        if (check.problems.isEmpty()) {
            check.boundaries(tokens, samples);
            check.schedule(samples.schedule);
            check.values(tokens, samples, header.lossNormaliser());
        }
        if (!check.problems.isEmpty()) {
            List<String> shown = check.problems.subList(0, Math.min(SHOWN_PROBLEMS, check.problems.size()));
            throw new WorkerException(
                    WorkerErrorCode.BAD_BATCH,
                    "the batch contradicts itself in " + check.problems.size() + " places: " + String.join("; ", shown),
                    "form it again");
        }
    }

    private void header(Batch.Header header) {
        if (!(header.temperature() > 0)) {
            problems.add("temperature is " + header.temperature() + ", not above 0");
        }
        Batch.LossNormaliser normaliser = header.lossNormaliser();
        if (!(normaliser.value() >= 0)
                || normaliser.value() == 0 && normaliser.kind() == Batch.LossNormaliser.Kind.CONSTANT) {
            problems.add("lossNormaliser " + normaliser.kind() + " has the divisor " + normaliser.value());
        }
    }

    private void lengths(Tokens tokens, Samples samples) {
        int samplesCount = samples.promptLengths.length;
        same("cu_seqlens", samples.cuSeqlens.length, samplesCount + 1);
        same("sample_id", samples.ids.length, samplesCount);
        same("group", samples.groups.length, samplesCount);
        same("loss_denominator", samples.lossDenominators.length, samplesCount);
        same("truncated", samples.truncated.length, samplesCount);
        same("schedule", samples.schedule.length, 3 * samplesCount);
        int count = tokens.ids.length;
        same("loss_mask", tokens.lossMask.length, count);
        same("advantages", tokens.advantages.length, count);
        same("rollout_logprobs", tokens.rolloutLogprobs.length, count);
        same("weight_version", tokens.weightVersions.length, count);
        tokens.optional.forEach((column, values) -> same(column.tensorName(), values.length, count));
        if (samplesCount == 0) {
            problems.add("there is no sample");
        }
    }

    private void same(String column, int length, int expected) {
        if (length != expected) {
            problems.add(column + " has " + length + " entries, expected " + expected);
        }
    }

    private void boundaries(Tokens tokens, Samples samples) {
        int[] starts = samples.cuSeqlens;
        if (starts[0] != 0 || starts[starts.length - 1] != tokens.ids.length) {
            problems.add("cu_seqlens goes from " + starts[0] + " to " + starts[starts.length - 1] + ", expected 0 to "
                    + tokens.ids.length);
            return;
        }
        for (int i = 0; i < samples.promptLengths.length; i++) {
            if (starts[i] < 0 || starts[i + 1] < 0 || starts[i + 1] > tokens.ids.length) {
                problems.add("sample " + i + " goes from " + starts[i] + " to " + starts[i + 1] + " of "
                        + tokens.ids.length + " tokens");
                continue;
            }
            int length = starts[i + 1] - starts[i];
            int prompt = samples.promptLengths[i];
            if (prompt < 1 || prompt > length) {
                problems.add("sample " + i + " has " + length + " tokens, of which " + prompt + " are its prompt");
                continue;
            }
            for (int t = starts[i]; t < starts[i] + prompt; t++) {
                if (tokens.lossMask[t] != 0 || tokens.advantages[t] != 0) {
                    problems.add("token " + t + " is in the prompt of sample " + i + " but not masked");
                }
            }
        }
    }

    private void schedule(int[] schedule) {
        boolean[] seen = new boolean[schedule.length / 3];
        int last = 0;
        for (int i = 0; i < schedule.length; i += 3) {
            if (schedule[i] < 0 || schedule[i] >= seen.length || schedule[i + 1] < 0 || schedule[i + 2] < 0) {
                problems.add("the schedule of sample " + i / 3 + " is (" + schedule[i] + ", " + schedule[i + 1] + ", "
                        + schedule[i + 2] + ")");
                return;
            }
            seen[schedule[i]] = true;
            last = Math.max(last, schedule[i]);
        }
        for (int step = 0; step <= last; step++) {
            if (!seen[step]) {
                problems.add("optimizer step " + step + " of " + (last + 1) + " has no sample");
            }
        }
    }

    private void values(Tokens tokens, Samples samples, Batch.LossNormaliser normaliser) {
        for (int t = 0; t < tokens.ids.length; t++) {
            if (tokens.lossMask[t] < 0 || tokens.lossMask[t] > 1) {
                problems.add("loss_mask[" + t + "] is " + tokens.lossMask[t] + ", neither 0 nor 1");
            }
            if (!Float.isFinite(tokens.advantages[t]) || !Float.isFinite(tokens.rolloutLogprobs[t])) {
                problems.add("token " + t + " has the advantage " + tokens.advantages[t] + " and the log-probability "
                        + tokens.rolloutLogprobs[t]);
            }
        }
        tokens.optional.forEach((column, values) -> {
            for (int t = 0; t < values.length; t++) {
                if (!Float.isFinite(values[t])) {
                    problems.add(column.tensorName() + "[" + t + "] is " + values[t]);
                }
            }
        });
        for (int i = 0; i < samples.lossDenominators.length; i++) {
            if (normaliser.kind() == Batch.LossNormaliser.Kind.SAMPLE && !(samples.lossDenominators[i] > 0)) {
                problems.add("loss_denominator[" + i + "] is " + samples.lossDenominators[i] + ", not above 0");
            }
        }
    }
}
