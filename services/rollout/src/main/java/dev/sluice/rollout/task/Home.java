package dev.sluice.rollout.task;

import org.jspecify.annotations.Nullable;

/**
 * Where a sample's conversation may still be in a cache.
 *
 * @param rank the data-parallel rank; null where the engine has one, or chooses itself
 */
record Home(String engineId, @Nullable Integer rank) {}
