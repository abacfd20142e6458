package dev.sluice.domain.environment;

/** What an environment does after a turn of the model. */
public sealed interface TurnAnswer {
    /** The response is complete. */
    record Done() implements TurnAnswer {}

    /**
     * The model goes on after this.
     *
     * @param text as it stands in the model's context, with the marks by which its chat template begins and ends a turn; not empty
     */
    record Says(String text) implements TurnAnswer {}
}
