package dev.sluice.cpu.example;

import dev.sluice.workerapi.Batch;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Texts of equal length, to be packed as a training batch of one optimizer step.
 *
 * @param promptLength tokens of each text that have no gradient; padding after an end token has none either
 */
record TaskBatch(int promptLength, List<Text> texts) {

    /**
     * A prompt with an answer.
     *
     * @param logprobs by token, of the policy that drew the answer
     * @param advantage of every token of the answer
     */
    record Text(int[] ids, float[] logprobs, float advantage) {
        /** Tokens up to the end token. */
        int used(int promptLength) {
            for (int t = promptLength; t < ids.length; t++) {
                if (ids[t] == CharacterTokenizer.END) {
                    return t + 1;
                }
            }
            return ids.length;
        }
    }

    Batch pack(int step) {
        int samples = texts.size();
        int length = texts.getFirst().ids.length;
        int tokens = samples * length;
        int[] ids = new int[tokens];
        int[] starts = new int[samples + 1];
        int[] promptLengths = new int[samples];
        float[] denominators = new float[samples];
        byte[] mask = new byte[tokens];
        float[] advantages = new float[tokens];
        float[] logprobs = new float[tokens];
        for (int i = 0; i < samples; i++) {
            Text text = texts.get(i);
            int start = i * length;
            int used = text.used(promptLength);
            System.arraycopy(text.ids, 0, ids, start, length);
            System.arraycopy(text.logprobs, 0, logprobs, start, length);
            Arrays.fill(mask, start + promptLength, start + used, (byte) 1);
            Arrays.fill(advantages, start + promptLength, start + used, text.advantage);
            promptLengths[i] = promptLength;
            denominators[i] = used - promptLength;
            starts[i + 1] = start + length;
        }
        Batch.LossNormaliser normaliser = new Batch.LossNormaliser(Batch.LossNormaliser.Kind.SAMPLE, samples);
        return new Batch(
                new Batch.Header("example", step, 0, 1, 1, 0, normaliser),
                ids,
                starts,
                promptLengths,
                new long[samples],
                new int[samples],
                denominators,
                new byte[samples],
                mask,
                advantages,
                logprobs,
                new int[tokens],
                new int[3 * samples],
                Map.of());
    }
}
