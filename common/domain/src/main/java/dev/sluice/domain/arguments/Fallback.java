package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Flags;

/**
 * Other flags for an engine that ran out of memory at its start.
 *
 * @param because what is different
 * @param flags the whole list
 */
public record Fallback(String because, Flags flags) {}
