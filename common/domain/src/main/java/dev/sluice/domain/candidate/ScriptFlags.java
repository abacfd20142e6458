package dev.sluice.domain.candidate;

/**
 * Flags of the launch script that a request was made of: rules over settings that a request has no place for judge these.
 *
 * @param slime slime's own
 * @param megatron Megatron's, those of the model's shape among them
 */
public record ScriptFlags(Flags slime, Flags megatron) {
    /** The candidate as the script would start it. */
    public Candidate applied(Candidate candidate) {
        Flags together = megatron;
        for (var flag : candidate.training().flags().values().entrySet()) {
            together = together.with(flag.getKey(), flag.getValue().toArray());
        }
        return candidate
                .with(candidate.workload().with(slime))
                .with(candidate.training().with(together));
    }
}
