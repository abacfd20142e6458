package dev.sluice.rollout.sampling;

import dev.sluice.events.GroupEvent.Sample;

/** What became of one sample in one call. */
public sealed interface SampleOutcome {
    /** Its place in the group. */
    int index();

    /** It is finished and fits what was asked. */
    record Accepted(Sample sample) implements SampleOutcome {
        @Override
        public int index() {
            return sample.index();
        }
    }

    /**
     * A pause ended it before its time.
     *
     * @param begun all of it that can be gone on with, earlier calls included; may be nothing
     * @param lost tokens of this call that cannot be used
     */
    record Aborted(int index, PartialSample begun, int lost) implements SampleOutcome {}

    /** The model ended a turn, and the environment is to answer. */
    record TurnEnded(int index, PartialSample whole) implements SampleOutcome {}

    /** The environment has answered, and the model goes on after it. */
    record TurnAnswered(int index, PartialSample begun) implements SampleOutcome {}

    /** No environment answered as it should; another try would end alike. */
    record Unanswered(int index, int tokens, String reason) implements SampleOutcome {}

    /** The reply cannot be used; its tokens are thrown away. */
    record Refused(int index, int tokens, String reason) implements SampleOutcome {}
}
