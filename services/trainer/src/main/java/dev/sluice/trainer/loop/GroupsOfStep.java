package dev.sluice.trainer.loop;

import dev.sluice.domain.training.BatchDraft;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.handover.Awaiting;
import dev.sluice.trainer.run.RunSignals;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.wait.RunWait;
import dev.sluice.trainer.wait.WaitOverdueException;
import dev.sluice.trainer.wait.Waits;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Waits for what a step trains on. For the training thread alone. */
final class GroupsOfStep {
    /** Groups that a filter left out and that are kept in memory, at most about so many besides a step's. */
    private static final int MANY_FILTERED = 64;

    private static final Logger LOG = LoggerFactory.getLogger(GroupsOfStep.class);

    private final TrainedRun run;
    private final Parts parts;
    private final RunSignals signals;
    private final GroupFlow flow;
    private final Waits waits;
    private final EvaluationWatch evaluation;
    private final Awaiting awaiting;
    private final Consumer<BatchDraft> close;

    /** @param close writes down that groups are used up without training */
    GroupsOfStep(
            TrainedRun run,
            Parts parts,
            RunSignals signals,
            GroupFlow flow,
            Waits waits,
            EvaluationWatch evaluation,
            Awaiting awaiting,
            Consumer<BatchDraft> close) {
        this.run = run;
        this.parts = parts;
        this.signals = signals;
        this.flow = flow;
        this.waits = waits;
        this.evaluation = evaluation;
        this.awaiting = awaiting;
        this.close = close;
    }

    /**
     * The step's groups; after their time those that are ready, if the run's policy lets it go on with so few.
     *
     * @param publishes whether new weights follow the step
     * @return empty when the run is to end early
     * @throws WaitOverdueException if too few came in time
     */
    Optional<BatchDraft> await(int step, boolean publishes) throws InterruptedException {
        try {
            waits.await(
                    RunWait.GROUPS,
                    "groups of step " + step,
                    () -> flow.situation() + evaluation.situation(),
                    parts.config().waits().results(),
                    this::come);
        } catch (WaitOverdueException e) {
            return Optional.of(fewer(step, e));
        }
        if (publishes) {
            awaitThoseThatWouldGoStale();
        }
        return signals.stopping().isDone() ? Optional.empty() : flow.look(TrainingState::decideBatch);
    }

    private BatchDraft fewer(int step, WaitOverdueException overdue) {
        int wanted = run.request().rollout().fewestGroups();
        // With less, a data-parallel rank would have nothing to train on.
        int fewest = Math.max(wanted, run.batchRules().fewestGroups(run.rules().samplesPerPrompt()));
        Optional<BatchDraft> fewer = wanted == 0 ? Optional.empty() : flow.look(state -> state.decideFewer(fewest));
        BatchDraft draft = fewer.orElseThrow(() -> overdue);
        LOG.warn(
                "a step goes on with fewer groups runId={} step={} groups={} of={} because={}",
                run.runId(),
                step,
                draft.groups().size(),
                run.rules().groupsPerStep(),
                overdue.getMessage());
        return draft;
    }

    /** While groups are left out by a filter, they are closed in portions; the wait for those of the step goes on. */
    private boolean come(Duration time) throws InterruptedException {
        long end = System.nanoTime() + time.toNanos();
        while (true) {
            boolean come = awaiting.await(
                    () -> signals.stopping().isDone()
                            || flow.state().canForm()
                            || evaluation.hasNews()
                            || flow.state().decideFiltered(MANY_FILTERED).isPresent(),
                    Duration.ofNanos(Math.max(0, end - System.nanoTime())));
            evaluation.publish();
            Optional<BatchDraft> filtered = signals.stopping().isDone()
                    ? Optional.empty()
                    : flow.look(state -> state.decideFiltered(MANY_FILTERED));
            if (filtered.isPresent()) {
                close.accept(filtered.get());
            } else if (!come || signals.stopping().isDone() || flow.look(TrainingState::canForm)) {
                return come;
            }
        }
    }

    /** A little patience: what is sampled by an old version now is of no use after the next publication. */
    private void awaitThoseThatWouldGoStale() throws InterruptedException {
        if (run.rules().maxPolicyLag() > 0) {
            int next = flow.look(TrainingState::version) + 1;
            int oldest = next - run.rules().maxPolicyLag();
            flow.await(
                    () -> signals.stopping().isDone() || !flow.isSampledBefore(oldest),
                    parts.config().waits().staleGroups());
        }
    }
}
