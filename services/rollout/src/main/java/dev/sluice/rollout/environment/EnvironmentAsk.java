package dev.sluice.rollout.environment;

import dev.sluice.domain.environment.Turn;
import dev.sluice.events.Rollout.Turns;
import java.time.Duration;

/**
 * A turn of the model that wants its answer.
 *
 * @param turns who is asked
 * @param prompt as a remote environment gets it: text, or a list of messages
 * @param left until the group must be done
 */
public record EnvironmentAsk(Turns turns, Object prompt, Turn turn, Duration left) {}
