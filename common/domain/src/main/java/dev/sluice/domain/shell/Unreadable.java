package dev.sluice.domain.shell;

/** A script cannot be read on from here. It never leaves this package: {@link ShellReader} makes a {@link Remark} of it. */
final class Unreadable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Remark remark;

    Unreadable(Place place, String message, String mend) {
        super(message, null, false, false);
        this.remark = new Remark(Remark.Weight.ERROR, place, message, mend);
    }

    Remark remark() {
        return remark;
    }
}
