package dev.sluice.trainer.loop;

import dev.sluice.domain.training.Cut;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.kafka.KafkaUnavailableException;
import dev.sluice.kafka.StateReader;
import dev.sluice.trainer.cut.CutChoice;
import dev.sluice.trainer.cut.EarlierRun;
import dev.sluice.trainer.cut.GroupTakeover;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.log.LogRecords;
import dev.sluice.trainer.log.RunJournal;
import dev.sluice.trainer.log.TrainingHistory;
import dev.sluice.trainer.prompts.TrainingPrompts;
import dev.sluice.trainer.run.TrainedRun;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
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
    Session recover(Runnable onReaderFailure) throws InterruptedException {
        RunJournal journal = RunJournal.open(parts.connection(), run.runId());
        try {
            TrainingHistory history = TrainingHistory.read(parts.connection(), run.runId());
            requireCurrent(history);
            Optional<CheckpointSaved> own = CutChoice.newestSound(history.cuts(), prompts.identity());
            Optional<EarlierRun> earlier = own.isPresent()
                    ? Optional.empty()
                    : EarlierRun.of(parts.connection(), run, prompts.identity(), history);
            Optional<CheckpointSaved> saved = own.or(() -> earlier.map(EarlierRun::saved));
            List<GroupSampled> takenOver = earlier.map(
                            begun -> new GroupTakeover(parts.connection(), run, begun).into(journal, history))
                    .orElse(List.of());
            Cut cut = own.map(Cut::of).or(() -> earlier.map(EarlierRun::cut)).orElse(Cut.START);
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
            StateReader results = readResults(flow, cut, takenOver, onReaderFailure);
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
        } catch (RuntimeException | InterruptedException e) {
            journal.close();
            throw e;
        }
    }

    private StateReader readResults(GroupFlow flow, Cut cut, List<GroupSampled> takenOver, Runnable onReaderFailure)
            throws InterruptedException {
        StateReader results = StateReader.startRun(
                parts.connection(),
                run.runId(),
                Map.of(Topics.GROUP_EVENTS, cut.groupsOffset()),
                record -> flow.accept(LogRecords.entry(record)));
        try {
            results.awaitCaughtUp(RESULTS_DEADLINE);
            // What was written last is seen a moment later; nobody may ask for it meanwhile.
            if (!flow.await(() -> takenOver.stream().allMatch(group -> isRead(flow, group)), RESULTS_DEADLINE)) {
                String missing = "results that were taken over did not come back for %d s"
                        .formatted(RESULTS_DEADLINE.toSeconds());
                throw new KafkaUnavailableException(missing, new TimeoutException(missing));
            }
        } catch (RuntimeException | InterruptedException e) {
            results.close();
            throw e;
        }
        results.onFailure(onReaderFailure);
        return results;
    }

    private static boolean isRead(GroupFlow flow, GroupSampled group) {
        return flow.state().isFinished(group.cursor(), group.round());
    }
}
