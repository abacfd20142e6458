package dev.sluice.cpu.engine;

import dev.sluice.cpu.model.ModelConfig;
import dev.sluice.cpu.model.Rope;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.Weights;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.Function;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A model's compiled forward passes over latent caches. Used by one thread, in {@code InferenceMode}, which spares what
 * autograd would note of every operation; results live in the caller's {@code PointerScope}. New values of the weights are
 * seen by the next pass.
 */
@SuppressWarnings("try") // scopes work by being open
final class Forward implements AutoCloseable {
    /** Attention reads whole cache lines in multiples of this many positions, so that few distinct shapes occur. */
    private static final int KEY_STEP = 16;

    private static final int CACHE_ARGUMENT = 4;
    private static final int STEPS_ARGUMENT = 6;

    private final CompilationUnit unit;
    /** Rotations by position as complex numbers, [positions, rotary pairs]. */
    private final Tensor turns;

    private final int positions;
    private final ModelConfig config;
    private final Weights weights;
    private final Function target;
    private final IValueVector targetArguments;
    private final Function draft;
    private final IValueVector draftArguments;

    /**
     * Compiles the passes.
     *
     * @param positions places a cache row has; at least one more than any position that is asked for
     */
    Forward(Weights weights, int positions) {
        this.weights = weights;
        this.config = weights.config();
        this.positions = positions;
        try (PointerScope scope = new PointerScope();
                Rope rope = Rope.of(config, positions)) {
            this.turns = Tensors.keep(
                    torch.view_as_complex(torch.stack(new TensorVector(rope.cosines(), rope.sines()), -1)));
        }
        ForwardSource source = new ForwardSource(config, weights.type());
        this.unit = Tensors.keep(torch.compile(source.text()));
        this.target = function("target");
        this.targetArguments = arguments(7, source.targetWeights());
        this.draft = config.mtpLayers() == 0 ? target : function("draft");
        this.draftArguments = config.mtpLayers() == 0 ? targetArguments : arguments(8, source.draftWeights());
    }

    /** Places a cache row has. */
    int positions() {
        return positions;
    }

    /** Type of the weights, and of what the caches must hold. */
    ScalarType type() {
        return weights.type();
    }

    ModelConfig config() {
        return config;
    }

    /**
     * What the decoder computes for a window.
     *
     * @param hidden final norms float32 [rows, length, H]
     * @param logits scores behind the distributions, float32 [picks, V]
     */
    record Decoded(Distributions distributions, Tensor hidden, Tensor logits) {

        /** Applies a sequence's own changes to the scores of a pick; without them nothing is read. */
        void adjust(int pick, Sequence sequence) {
            if (sequence.adjusts()) {
                float[] scores = Tensors.floats(logits.select(0, pick));
                sequence.adjust(scores);
                distributions.replace(
                        pick, scores, sequence.request().sampling().law().temperature());
            }
        }
    }

    /**
     * Runs the decoder and writes the window's cache lines.
     *
     * @param picks flat places in the window whose distributions are wanted
     * @param temperatures one a pick
     */
    Decoded target(Window window, long[] picks, float[] temperatures, LatentCache cache) {
        targetArguments.put(0, new IValue(Tensors.of(window.ids(), window.rows(), window.length())));
        targetArguments.put(1, new IValue(Tensors.of(window.positions(), window.rows(), window.length())));
        targetArguments.put(2, new IValue(Tensors.of(picks, picks.length)));
        targetArguments.put(3, new IValue(Tensors.of(temperatures, temperatures.length)));
        IValueVector results = run(target, targetArguments, window, window.keys(), cache);
        float[] logprobs = Tensors.floats(results.get(0).toTensor());
        float[] probabilities = Tensors.floats(results.get(1).toTensor());
        return new Decoded(
                new Distributions(config.vocabularySize(), logprobs, probabilities),
                results.get(2).toTensor(),
                results.get(3).toTensor());
    }

    /**
     * What the multi-token-prediction layer computes for a window.
     *
     * @param tokens the most probable ones, so many steps a pick, row-major
     * @param hidden the layer's own states behind each pick's first token, float32 [picks, H]
     * @param logits scores behind the first tokens, float32 [picks, V]
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Drafted(long[] tokens, Tensor hidden, Tensor logits) {

        /** The draft's own law of a pick under a request's parameters. */
        Law law(int pick, Sampling.LawParams params) {
            float[] scores = Tensors.floats(logits.select(0, pick));
            Distributions own = new Distributions(scores.length, new float[scores.length], new float[scores.length]);
            own.replace(0, scores, params.temperature());
            return Law.of(own, 0, params);
        }
    }

    /**
     * Runs the multi-token-prediction layer and writes the window's cache lines; then drafts on from each pick, one position
     * further a step, in the same call.
     *
     * @param window the tokens that follow the positions they are given for
     * @param previous hidden states at those positions, float32 [rows, length, H]
     * @param picks flat places in the window whose drafts are wanted; for more than one step one a row
     * @param steps tokens to draft a pick, at least 1
     */
    Drafted draft(Window window, Tensor previous, long[] picks, int steps, LatentCache cache) {
        draftArguments.put(0, new IValue(Tensors.of(window.ids(), window.rows(), window.length())));
        draftArguments.put(1, new IValue(previous));
        draftArguments.put(2, new IValue(Tensors.of(window.positions(), window.rows(), window.length())));
        draftArguments.put(3, new IValue(Tensors.of(picks, picks.length)));
        draftArguments.put(STEPS_ARGUMENT, new IValue(steps));
        IValueVector results = run(draft, draftArguments, window, window.keys() + steps - 1, cache);
        return new Drafted(
                Tensors.longs(results.get(0).toTensor()),
                results.get(1).toTensor(),
                results.get(2).toTensor());
    }

    private IValueVector run(Function function, IValueVector arguments, Window window, int needed, LatentCache cache) {
        int keys = Math.min(positions, (needed + KEY_STEP - 1) / KEY_STEP * KEY_STEP);
        arguments.put(CACHE_ARGUMENT, new IValue(cache.rows(window.firstRow(), window.rows())));
        arguments.put(CACHE_ARGUMENT + 1, new IValue(keys));
        // The call consumes its vector.
        return function.apply(new IValueVector(arguments))
                .toTupleRef()
                .elements()
                .vec();
    }

    private Function function(String name) {
        Function function = unit.find_function(new QualifiedName(name));
        if (function == null || function.isNull()) {
            throw new IllegalStateException("the compiled source has no function " + name);
        }
        return function;
    }

    private IValueVector arguments(int own, List<String> weightNames) {
        try (PointerScope scope = new PointerScope()) {
            IValueVector arguments = new IValueVector((long) own + weightNames.size());
            arguments.put(own - 1, new IValue(turns));
            for (int i = 0; i < weightNames.size(); i++) {
                arguments.put((long) own + i, new IValue(weights.get(weightNames.get(i))));
            }
            return Tensors.keep(arguments);
        }
    }

    @Override
    public void close() {
        targetArguments.close();
        if (draftArguments != targetArguments) {
            draftArguments.close();
        }
        unit.close();
        turns.close();
    }
}
