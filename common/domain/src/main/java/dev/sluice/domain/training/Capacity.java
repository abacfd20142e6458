package dev.sluice.domain.training;

/**
 * How many more groups may be asked for: as many as engines can take, and no more than can be used before they are too old.
 * A group that is dropped leaves the counts, so its place is asked for again.
 */
public final class Capacity {
    private Capacity() {}

    /**
     * @param rules of the run
     * @param publications weight versions published since version 0, without those that only replace one
     * @param accepted groups trained on or ready, in all
     * @param running groups asked for that have no result
     * @param slots groups that engines can take at once
     * @return groups that may be asked for now, from 0
     */
    public static int of(TrainingRules rules, int publications, long accepted, int running, int slots) {
        long useful = (long) (rules.maxPolicyLag() + publications + 1) * rules.groupsPerVersion();
        long wholeRun = (long) rules.steps() * rules.groupsPerStep();
        long allowed = Math.min(useful, wholeRun) + rules.oversample() - (accepted + running);
        return (int) Math.max(0, Math.min(slots - running, allowed));
    }

    /**
     * The oldest weight version that may sample the group asked for after so many others: used in order, it is then not
     * older than the policy lag allows.
     *
     * @param others groups accepted or running when it is asked for
     */
    public static int minimumVersion(TrainingRules rules, long others) {
        return (int) Math.max(0, others / rules.groupsPerVersion() - rules.maxPolicyLag());
    }
}
