package dev.sluice.rollout.sampling;

import dev.sluice.domain.environment.Turn;
import dev.sluice.domain.environment.TurnAnswer;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.Rollout.Turns;
import dev.sluice.rollout.environment.EnvironmentAsk;
import dev.sluice.rollout.environment.EnvironmentException;
import dev.sluice.rollout.environment.Environments;
import dev.sluice.text.Tokenizer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;

/** Lets the environment answer a turn of the model, and decides whether the response goes on. */
final class TurnTaker {
    private final Tokenizer tokenizer;
    private final Environments environments;

    TurnTaker(Tokenizer tokenizer, Environments environments) {
        this.tokenizer = tokenizer;
        this.environments = environments;
    }

    /** The environment is asked after the last allowed turn too: only it knows whether the response is complete. */
    SampleOutcome answer(TurnAsk ask, Duration left) {
        Turns turns = Objects.requireNonNull(ask.task().turns(), "the task has no environment");
        PartialSample whole = ask.whole();
        Turn turn = turn(ask.task(), whole);
        try {
            TurnAnswer answer = environments.answer(
                    new EnvironmentAsk(turns, GroupScorer.sent(ask.task().prompt()), turn, left));
            return switch (answer) {
                case TurnAnswer.Done done -> ended(ask, FinishReason.STOP);
                case TurnAnswer.Says says ->
                    turn.number() < turns.maxTurns() ? goesOn(ask, says.text()) : ended(ask, FinishReason.LENGTH);
            };
        } catch (EnvironmentException failure) {
            return new SampleOutcome.Unanswered(
                    ask.index(), whole.tokens().length, "turn %d: %s".formatted(turn.number(), failure.getMessage()));
        }
    }

    private Turn turn(GroupRequested task, PartialSample whole) {
        int[] tokens = whole.tokens();
        int[] said = Arrays.copyOfRange(tokens, whole.turnStart(), tokens.length);
        return new Turn(
                GroupScorer.response(task, tokenizer.decode(tokens, true)),
                tokenizer.decode(said, true),
                whole.turns());
    }

    private SampleOutcome goesOn(TurnAsk ask, String text) {
        int[] said = tokenizer.encode(text);
        int[] tokens = ask.whole().tokens();
        if (said.length == 0) {
            return new SampleOutcome.Unanswered(
                    ask.index(), tokens.length, "the environment's text has no tokens: '%s'".formatted(text));
        }
        // Without room for a turn of the model its answer would be the end of the response, on which nobody can be
        // trained.
        return tokens.length + said.length < ask.task().sampling().maxTokens()
                ? new SampleOutcome.TurnAnswered(ask.index(), ask.whole().thenSaid(said))
                : ended(ask, FinishReason.LENGTH);
    }

    private static SampleOutcome ended(TurnAsk ask, FinishReason reason) {
        return new SampleOutcome.Accepted(
                ask.whole().sample(ask.index(), reason, ask.engineId(), null, GroupSampler.masksOlder(ask.task())));
    }
}
