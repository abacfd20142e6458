/** Model checkpoints on disk: Hugging Face safetensors and Megatron torch_dist, and the pure copy between them. */
@org.jspecify.annotations.NullMarked
package dev.sluice.checkpoint;
