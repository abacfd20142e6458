package dev.sluice.domain.environment;

import dev.sluice.domain.reward.Response;

/**
 * A turn that the model has ended.
 *
 * @param response everything after the prompt so far, turns of the environment included, with its prompt, label and metadata
 * @param said what the model generated in this turn, without special tokens
 * @param number of the turn, from 1
 */
public record Turn(Response response, String said, int number) {}
