package dev.sluice.rollout.engine;

/** A weight version did not get into an engine; whatever it holds now, it may not serve. */
public final class WeightLoadException extends RuntimeException {
    WeightLoadException(String message) {
        super(message);
    }
}
