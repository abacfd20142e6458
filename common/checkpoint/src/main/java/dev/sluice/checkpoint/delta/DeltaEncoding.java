package dev.sluice.checkpoint.delta;

/** How a changed tensor is written down. */
public enum DeltaEncoding {
    /** New bytes xor old bytes: as long as the tensor, and zero wherever nothing changed, so that it compresses well. Applied twice it undoes itself. */
    XOR("xor"),
    /** Positions and new values of the changed bytes: five bytes a change. Applying it again changes nothing. */
    OVERWRITE("overwrite");

    private final String text;

    DeltaEncoding(String text) {
        this.text = text;
    }

    /** The name in an index. */
    public String text() {
        return text;
    }
}
