package dev.sluice.events;

/** What samples and trains: real SGLang and Megatron on GPUs, or the embedded engine and worker on CPUs. */
public enum Backend {
    CPU,
    GPU
}
