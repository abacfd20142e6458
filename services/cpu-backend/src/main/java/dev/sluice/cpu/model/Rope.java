package dev.sluice.cpu.model;

import org.bytedeco.pytorch.Tensor;

/**
 * Tables of rotary position embedding: row {@code t} holds cosine and sine of {@code t * theta^(-2i/size)} for each pair
 * {@code i}. Both are float32 {@code [positions, rotaryHeadSize / 2]} and live until closed.
 *
 * @see <a href="https://arxiv.org/abs/2104.09864">RoFormer, section 3.2.2</a>
 */
public record Rope(Tensor cosines, Tensor sines) implements AutoCloseable {

    /** Computes the tables in double precision and rounds them to float32 once. */
    public static Rope of(ModelConfig config, int positions) {
        int pairs = config.attention().rotaryHeadSize() / 2;
        float[] cosines = new float[positions * pairs];
        float[] sines = new float[positions * pairs];
        for (int position = 0; position < positions; position++) {
            for (int pair = 0; pair < pairs; pair++) {
                double angle = position
                        * Math.pow(
                                config.attention().ropeTheta(),
                                -2.0 * pair / config.attention().rotaryHeadSize());
                cosines[position * pairs + pair] = (float) Math.cos(angle);
                sines[position * pairs + pair] = (float) Math.sin(angle);
            }
        }
        return new Rope(
                Tensors.keep(Tensors.of(cosines, positions, pairs)), Tensors.keep(Tensors.of(sines, positions, pairs)));
    }

    @Override
    public void close() {
        cosines.close();
        sines.close();
    }
}
