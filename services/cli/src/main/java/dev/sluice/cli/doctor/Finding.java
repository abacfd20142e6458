package dev.sluice.cli.doctor;

/** What came of looking at one thing of a node. */
sealed interface Finding {
    /** What was looked at, in one or two words. */
    String subject();

    Need need();

    /** What is there, with its numbers. */
    String found();

    /** The thing is as it should be. */
    record Ok(String subject, Need need, String found) implements Finding {}

    /**
     * A run may go wrong or slowly.
     *
     * @param mend what to do about it
     */
    record Warning(String subject, Need need, String found, String mend) implements Finding {}

    /**
     * A run cannot go well.
     *
     * @param mend what to do about it
     */
    record Failed(String subject, Need need, String found, String mend) implements Finding {}

    /**
     * Nobody looked.
     *
     * @param found why not, and how it could be looked at
     */
    record NotChecked(String subject, Need need, String found) implements Finding {}

    /** The same for a node that is to run another backend: what lacks there is worth knowing and no fault. */
    default Finding whereNotNeeded() {
        return switch (this) {
            case Failed failed ->
                new Warning(failed.subject(), failed.need(), failed.found(), "for backend: gpu, " + failed.mend());
            case Ok ok -> ok;
            case Warning warning -> warning;
            case NotChecked notChecked -> notChecked;
        };
    }

    /** As it is shown and written. */
    default String outcome() {
        return switch (this) {
            case Ok ok -> "ok";
            case Warning warning -> "warning";
            case Failed failed -> "failed";
            case NotChecked notChecked -> "not checked";
        };
    }

    /** What to do, empty where there is nothing to do. */
    default String mending() {
        return switch (this) {
            case Ok ok -> "";
            case NotChecked notChecked -> "";
            case Warning warning -> warning.mend();
            case Failed failed -> failed.mend();
        };
    }
}
