package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.CheckpointException;
import java.nio.file.Path;

/**
 * The number of a published set of weights. 0 is the model that the engines started from; every update adds one.
 *
 * @param number not negative
 */
public record WeightVersion(long number) {
    /** More than a run can publish, and few enough digits for a long. */
    private static final int MAX_DIGITS = 18;

    public WeightVersion {
        if (number < 0) {
            throw new CheckpointException("weight version " + number + " is negative; versions count from 0");
        }
    }

    /** Reads the text of an index or a marker. */
    static WeightVersion parse(String digits, String what) {
        if (!digits.matches("[0-9]{1," + MAX_DIGITS + "}")) {
            throw new CheckpointException(
                    "%s is \"%s\", not a number of 1 to %d digits".formatted(what, digits, MAX_DIGITS));
        }
        return new WeightVersion(Long.parseLong(digits));
    }

    /** Six digits at least, as slime writes them. */
    public String digits() {
        return "%06d".formatted(number);
    }

    /** Where this version lies in a stream of versions. */
    public Path directory(Path stream) {
        return stream.resolve("weight_v" + digits());
    }

    public WeightVersion next() {
        return new WeightVersion(number + 1);
    }

    public WeightVersion previous() {
        return new WeightVersion(number - 1);
    }
}
