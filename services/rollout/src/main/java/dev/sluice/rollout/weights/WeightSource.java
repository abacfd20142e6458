package dev.sluice.rollout.weights;

import java.util.ArrayList;
import java.util.List;

/**
 * A weight version whose files were verified.
 *
 * @param directory a Hugging Face directory
 */
public record WeightSource(int version, String directory) {
    /** What was checked in all, where these were the checks of the engine. */
    public static List<String> verified(List<String> byEngine) {
        List<String> all = new ArrayList<>(List.of("manifest sha-256", "files sha-256"));
        all.addAll(byEngine);
        return List.copyOf(all);
    }
}
