package dev.sluice.cpu.model;

import org.bytedeco.pytorch.Tensor;

/** Sees intermediate values of a forward, so that a test can say where two implementations part. */
@FunctionalInterface
interface Probe {
    Probe NONE = (place, value) -> {};

    /** @param place such as {@code layer1.attn}; the value lives in the forward's scope */
    void saw(String place, Tensor value);
}
