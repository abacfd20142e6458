package dev.sluice.domain.shell;

/**
 * What is to be said about a script as such.
 *
 * @param mend what to change
 */
public record Remark(Weight weight, Place place, String message, String mend) {
    /** What a remark means for the reading. */
    public enum Weight {
        /** The script's meaning is not known. */
        ERROR,
        /** Something that may matter was not read. */
        WARNING
    }
}
