package dev.sluice.domain.ledger;

import java.util.Map;

/**
 * What a step takes besides the work of engines and worker, at the median.
 *
 * @param steps that were measured
 * @param stepMillis a whole step
 * @param millis the part of a step in which no engine generated or loaded weights and the worker did nothing
 * @param millisByCause that part by what came next; medians of their own, so they need not add up
 */
public record ControlPlaneTime(int steps, double stepMillis, double millis, Map<String, Double> millisByCause) {}
