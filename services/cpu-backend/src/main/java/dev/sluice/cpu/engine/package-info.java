/**
 * An SGLang-compatible engine on libtorch: continuous batching over a latent cache, EAGLE speculation with the model's own
 * multi-token-prediction layer, and SGLang's HTTP API and launch flags.
 *
 * <p>{@link dev.sluice.cpu.engine.EngineMain} starts it. HTTP calls hand requests to one {@code Scheduler} thread, which alone
 * touches tensors and the state of requests.
 */
@NullMarked
package dev.sluice.cpu.engine;

import org.jspecify.annotations.NullMarked;
