package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import dev.sluice.cpu.model.AdamW;
import dev.sluice.cpu.model.Model;
import dev.sluice.cpu.model.ParityFixtures;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.WeightSlice;
import dev.sluice.cpu.model.Weights;
import dev.sluice.domain.batching.MicroBatchRules;
import dev.sluice.domain.batching.MicroBatches;
import dev.sluice.workerapi.Batch;
import dev.sluice.workerapi.Batch.LossNormaliser.Kind;
import dev.sluice.workerapi.LossConfig;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A step in many micro-batches against the same step in one pass, which computes no sum of gradients at all. */
@SuppressWarnings("try") // scopes work by being open
class GradientAccumulationTest {
    private static final double TOLERANCE = 1e-6;

    @ParameterizedTest(name = "{1} ranks, {2} tokens a micro-batch, normalised by {0}")
    @CsvSource({
        "SAMPLE, 1, 1",
        "SAMPLE, 1, 30",
        "SAMPLE, 2, 30",
        "SAMPLE, 3, 1000",
        "TOKEN, 1, 1",
        "TOKEN, 2, 30",
        "CONSTANT, 2, 25"
    })
    void lossGradientsAndWeightsAreThoseOfOnePass(Kind kind, int ranks, int tokens) {
        Tensors.useOneThread();
        Batch batch = Batches.of("run", 1, 1);

        try (PointerScope scope = new PointerScope()) {
            Trained whole = train(scheduled(batch, kind, MicroBatchRules.byTokens(1, Integer.MAX_VALUE)));
            Trained parts = train(scheduled(batch, kind, MicroBatchRules.byTokens(ranks, tokens)));

            assertThat(parts.loss).isCloseTo(whole.loss, offset(TOLERANCE));
            assertThat(parts.norm).isCloseTo(whole.norm, offset(TOLERANCE * whole.norm));
            whole.gradients.forEach((name, gradient) -> assertThat(
                            gradient.sub(parts.gradients.get(name)).norm().item_double())
                    .as("gradient of %s, of all gradients' norm %s", name, whole.norm)
                    .isLessThan(TOLERANCE * whole.norm));
        }
    }

    private record Trained(double loss, double norm, Map<String, Tensor> gradients) {}

    private static Trained train(Batch batch) {
        Weights weights = ParityFixtures.weights(ParityFixtures.OUR_LATENT_EPSILON);
        LossConfig.Optimizer unclipped = new LossConfig.Optimizer(0.1, 0.9, 0.98, 1e-8, 1e9);
        StepSums sums = new PolicyTrainer(new Model(weights), new AdamW(weights))
                .train(
                        batch,
                        new LossConfig(
                                "grpo",
                                0.2,
                                0.28,
                                null,
                                0,
                                0.01,
                                0,
                                LossConfig.OldLogprobs.CURRENT,
                                null,
                                1e-3,
                                unclipped));
        Map<String, Tensor> gradients = new HashMap<>();
        for (WeightSlice slice : weights.slices()) {
            Tensor gradient = weights.gradient(slice);
            if (gradient.defined()) { // the MTP layer's is not: it is not trained
                gradients.put(slice.name(), gradient.clone());
            }
        }
        return new Trained(sums.metrics(batch, 1).loss(), sums.metrics(batch, 1).gradNorm(), gradients);
    }

    private static Batch scheduled(Batch batch, Kind kind, MicroBatchRules rules) {
        int[] lengths = IntStream.range(0, batch.samples()).map(batch::length).toArray();
        int[] schedule = new int[3 * lengths.length];
        List<List<List<Integer>>> byRank = MicroBatches.of(lengths, rules).byRank();
        for (int rank = 0; rank < byRank.size(); rank++) {
            for (int micro = 0; micro < byRank.get(rank).size(); micro++) {
                for (int sample : byRank.get(rank).get(micro)) {
                    schedule[3 * sample + 1] = rank;
                    schedule[3 * sample + 2] = micro;
                }
            }
        }
        Batch.Header header = batch.header();
        return new Batch(
                new Batch.Header(
                        header.runId(),
                        header.step(),
                        header.epoch(),
                        header.temperature(),
                        header.topP(),
                        header.topK(),
                        new Batch.LossNormaliser(kind, kind == Kind.CONSTANT ? 100 : 0)),
                batch.tokens(),
                batch.cuSeqlens(),
                batch.promptLengths(),
                batch.sampleIds(),
                batch.groups(),
                batch.lossDenominators(),
                batch.truncated(),
                batch.lossMask(),
                batch.advantages(),
                batch.rolloutLogprobs(),
                batch.weightVersions(),
                schedule,
                batch.optional());
    }
}
