package dev.sluice.rollout.sampling;

import java.util.SortedSet;
import java.util.concurrent.ConcurrentSkipListSet;

/**
 * One sample that a function of one's own generates by asking this instance's router. The router knows which weights answered, so nobody
 * else has to be believed. Thread-safe.
 */
public final class RouterSession {
    private final String id;
    private final SortedSet<Integer> versions = new ConcurrentSkipListSet<>();
    private volatile String engineId = "";

    /** @param id that no one can guess; it opens the engines to whoever has it */
    public RouterSession(String id) {
        this.id = id;
    }

    public String id() {
        return id;
    }

    /** An engine is asked. */
    public void served(int version, String byEngine) {
        versions.add(version);
        engineId = byEngine;
    }

    /** Weight versions that were asked, oldest first. */
    SortedSet<Integer> versions() {
        return versions;
    }

    /** The engine that was asked last; empty where none was. */
    String engineId() {
        return engineId;
    }
}
