package dev.sluice.trainer.broken;

/** Another service's class, for the test of the walls. */
public record Trains() {}
