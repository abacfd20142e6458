package dev.sluice.workerapi;

import java.util.Set;

/**
 * {@code GET /info}: what a worker is and can do.
 *
 * @param backend such as {@code cpu} or {@code megatron}
 * @param version the backend's version
 * @param worldSize ranks
 * @param capabilities such as {@code train}, {@code mtp}, {@code export:hf}
 * @param deterministic whether the same calls give the same bits
 */
public record WorkerInfo(
        String backend, String version, int worldSize, Set<String> capabilities, boolean deterministic) {
    public WorkerInfo {
        capabilities = Set.copyOf(capabilities);
    }
}
