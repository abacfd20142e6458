package dev.sluice.trainer.loop;

import dev.sluice.domain.training.Cut;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.kafka.StateReader;
import dev.sluice.trainer.cut.CutChoice;
import dev.sluice.trainer.cut.EarlierRun;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.log.LogRecords;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.log.TrainingHistory;
import dev.sluice.trainer.prompts.TrainingPrompts;
import dev.sluice.trainer.run.TrainedRun;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings a run to where its logs say: fence whoever wrote before, read what was written to its end, begin at the newest cut
 * whose files verify, and only then decide anything.
 */
final class Recovery {
    private static final Duration RESULTS_DEADLINE = Duration.ofMinutes(10);
    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

    private final TrainedRun run;
    private final Parts parts;
    private final TrainingPrompts prompts;

    Recovery(TrainedRun run, Parts parts, TrainingPrompts prompts) {
        this.run = run;
        this.parts = parts;
        this.prompts = prompts;
    }

    /**
     * Asks the log, without touching it, whether this trainer may open it again after it was taken away.
     *
     * @throws SupersededException if a trainer with a higher epoch has written
     */
    void requireCurrent() {
        requireCurrent(TrainingHistory.read(parts.connection(), run.runId()));
    }

    private void requireCurrent(TrainingHistory history) {
        if (history.epoch() > run.epoch()) {
            throw new SupersededException(run.runId(), run.epoch(), history.epoch());
        }
    }

    /**
     * @param onReaderFailure runs when results can no longer be read
     * @throws SupersededException if a trainer with a higher epoch has written
     */
    Session recover(Runnable onReaderFailure) {
        RunJournal journal = RunJournal.open(parts.connection(), run.runId());
        try {
            TrainingHistory history = TrainingHistory.read(parts.connection(), run.runId());
            requireCurrent(history);
            Optional<CheckpointSaved> own = CutChoice.newestSound(history.cuts(), prompts.identity());
            Optional<CheckpointSaved> saved = own.or(() -> EarlierRun.cut(parts.connection(), run, prompts.identity()));
            Cut cut = own.map(Cut::of)
                    .or(() -> saved.map(
                            earlier -> Cut.beginning(earlier, run.rules().stepsPerVersion())))
                    .orElse(Cut.START);
            TrainingState state = history.stateFrom(run.rules(), cut);
            saved.ifPresent(begun -> state.goOnAfter(begun.optimizerSteps()));
            GroupFlow flow = new GroupFlow(
                    new GroupFlow.Parts(
                            run,
                            prompts,
                            parts.pool(),
                            parts.tasks(),
                            parts.config().leases()),
                    state,
                    parts.clock());
            journal.applyTo(flow::applied);
            StateReader results = readResults(flow, cut, onReaderFailure);
            LOG.info(
                    "recovered runId={} epoch={} cut={} completed={} formed={} weightVersion={} groupsOffset={} readTo={}",
                    run.runId(),
                    run.epoch(),
                    cut.step(),
                    flow.look(TrainingState::completedStep),
                    flow.look(TrainingState::formedStep),
                    flow.look(TrainingState::version),
                    cut.groupsOffset(),
                    flow.look(TrainingState::groupsReadTo));
            return new Session(
                    journal,
                    flow,
                    results,
                    history,
                    saved.map(CheckpointSaved::directory).orElse(null),
                    cut.step());
        } catch (RuntimeException e) {
            journal.close();
            throw e;
        }
    }

    private StateReader readResults(GroupFlow flow, Cut cut, Runnable onReaderFailure) {
        StateReader results = StateReader.startRun(
                parts.connection(),
                run.runId(),
                Map.of(Topics.GROUP_EVENTS, cut.groupsOffset()),
                record -> flow.accept(LogRecords.entry(record)));
        try {
            results.awaitCaughtUp(RESULTS_DEADLINE);
        } catch (RuntimeException e) {
            results.close();
            throw e;
        }
        results.onFailure(onReaderFailure);
        return results;
    }
}
