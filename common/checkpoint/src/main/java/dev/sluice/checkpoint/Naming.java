package dev.sluice.checkpoint;

/** Megatron names three norms differently when TransformerEngine fuses them into the linear layer that follows. */
public enum Naming {
    TRANSFORMER_ENGINE,
    LOCAL,
    /** Both names of those norms: one checkpoint that either kind of model loads. */
    UNIVERSAL;

    boolean includes(Naming other) {
        return this == UNIVERSAL || this == other;
    }
}
