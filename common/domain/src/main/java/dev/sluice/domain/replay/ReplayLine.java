package dev.sluice.domain.replay;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A line of a replay's report, as JSON: one of its parts is there. */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ReplayLine(
        @Nullable Begun begun,
        @Nullable Trained trained,
        @Nullable Saved saved,
        @Nullable String refused,
        @Nullable String impossible) {

    /**
     * The model is loaded.
     *
     * @param step steps trained into it
     * @param directory the cut, or the converted model
     * @param last the last step that will be trained
     */
    public record Begun(int step, String directory, int last) {}

    /**
     * A step was trained again.
     *
     * @param changed whether it was trained with other settings than the run's
     * @param recordedSha256 hash of the weights as the run's log has it; absent where it has none
     * @param weightsSha256 hash of the weights now; absent where the worker computes none
     * @param recorded figures of the log, by slime's names
     * @param figures figures now
     */
    public record Trained(
            int step,
            boolean changed,
            @Nullable String recordedSha256,
            @Nullable String weightsSha256,
            Map<String, Double> recorded,
            Map<String, Double> figures) {

        /** Whether both hashes are known, and what they say. */
        public Comparison comparison() {
            if (recordedSha256 == null || weightsSha256 == null) {
                return Comparison.UNKNOWN;
            }
            return recordedSha256.equals(weightsSha256) ? Comparison.SAME : Comparison.OTHER;
        }
    }

    /** How the weights compare with those of the run. */
    public enum Comparison {
        SAME,
        OTHER,
        UNKNOWN
    }

    /** The result lies in a directory, in torch_dist form. */
    public record Saved(int step, String directory) {}

    public static ReplayLine of(Begun begun) {
        return new ReplayLine(begun, null, null, null, null);
    }

    public static ReplayLine of(Trained trained) {
        return new ReplayLine(null, trained, null, null, null);
    }

    public static ReplayLine of(Saved saved) {
        return new ReplayLine(null, null, saved, null, null);
    }

    /** It cannot be done, for this reason. */
    public static ReplayLine refused(String reason) {
        return new ReplayLine(null, null, null, reason, null);
    }

    /** No replay can do what was asked for, for this reason; another order would do. */
    public static ReplayLine impossible(String reason) {
        return new ReplayLine(null, null, null, null, reason);
    }
}
