package dev.sluice.process;

/** What keeps a child process alive, and what ends it when its parent dies without a word. */
public enum Life {
    /**
     * The child watches its own stdin ({@link LifeLine}) and ends when it closes, which the kernel does for a parent
     * that was killed.
     */
    STDIN,
    /**
     * For programs that do not watch stdin, such as a Python server: a small shell in the child's process group watches
     * it in their place, and then ends the child and, ten seconds later, the whole group.
     */
    GUARDED,
    /** The child outlives its parent; stdin is {@code /dev/null}. Whoever starts it leaves a {@link PidFile}. */
    DETACHED
}
