package dev.sluice.cpu.worker;

import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A critic's loss: the larger squared error of the value and of the value clipped to near the one before the step. All
 * tensors are [B, T]; sums are over token values times their weights.
 *
 * @param loss scalar with a gradient
 * @param clipFraction scalar, share of tokens whose value moved beyond the clip
 * @see <a href="https://arxiv.org/abs/2005.12729">Implementation matters in deep policy gradients, section 3</a>
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/backends/megatron_utils/loss.py">slime's value_loss_function</a>
 */
record ValueLoss(Tensor loss, Tensor clipFraction) {

    /**
     * @param values of the critic now; have a gradient
     * @param old its values before the step
     * @param returns what they are to be
     * @param weights mask divided by the normaliser
     * @param clip greatest distance of a clipped value from the old one
     */
    static ValueLoss of(Tensor values, Tensor old, Tensor returns, Tensor weights, double clip) {
        Tensor moved = values.sub(old);
        Tensor clipped =
                old.add(moved.clamp(new ScalarOptional(new Scalar(-clip)), new ScalarOptional(new Scalar(clip))));
        Tensor byToken =
                torch.maximum(clipped.sub(returns).square(), values.sub(returns).square());
        Tensor beyond = moved.detach().abs().gt(new Scalar(clip)).to(ScalarType.Float);
        return new ValueLoss(byToken.mul(weights).sum(), beyond.mul(weights).sum());
    }
}
