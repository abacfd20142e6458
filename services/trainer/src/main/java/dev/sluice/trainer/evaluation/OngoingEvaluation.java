package dev.sluice.trainer.evaluation;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.RunMetric;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.dispatch.Work;
import dev.sluice.trainer.dispatch.WorkSource;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sets that are due after one step while they are measured, all by one weight version, beside training. It ends when every
 * row has its result, when its time is over, or when no engine has that version any more; then with what was measured.
 */
public final class OngoingEvaluation implements WorkSource {
    private static final Logger LOG = LoggerFactory.getLogger(OngoingEvaluation.class);

    private final int step;
    private final int version;
    private final List<EvaluationRound> rounds;
    private final Instant deadline;
    private final GroupFlow flow;
    private final Clock clock;
    private final @Nullable SampleFiles files;

    /** Rounds that have not ended; changed under the flow's lock, because the dispatch asks what they want. */
    private final List<EvaluationRound> open;

    /** @param files where the samples of each set are written; absent: nowhere */
    OngoingEvaluation(
            int step,
            int version,
            List<EvaluationRound> rounds,
            Instant deadline,
            GroupFlow flow,
            Clock clock,
            @Nullable SampleFiles files) {
        this.files = files;
        this.step = step;
        this.version = version;
        this.rounds = List.copyOf(rounds);
        this.open = new ArrayList<>(rounds);
        this.deadline = deadline;
        this.flow = flow;
        this.clock = clock;
    }

    @Override
    public int version() {
        return version;
    }

    @Override
    public boolean needsItsVersion() {
        return files == null;
    }

    @Override
    public List<Work> wanted(Map<Work.Key, GroupEvent> results) {
        return open.stream().flatMap(round -> round.wanted(results).stream()).toList();
    }

    public Instant deadline() {
        return deadline;
    }

    /** For people. */
    public String name() {
        return rounds.stream().map(round -> round.set().name()).collect(Collectors.joining(", ")) + " at step " + step;
    }

    /** Whether a newer version may be published: an engine keeps this one, or none needs to. To be asked with the flow's lock held. */
    public boolean allowsNewerWeights() {
        return isOver() || flow.isOtherWorkHeld();
    }

    /** Whether nothing of it is awaited any more. To be asked with the flow's lock held. */
    public boolean isOver() {
        return isTimeOver()
                || flow.isOtherWorkLost()
                || open.stream().allMatch(round -> round.isDone(flow.otherResults()));
    }

    /** Whether a set's result can be told. To be asked with the flow's lock held. */
    public boolean hasNews() {
        return isOver() || open.stream().anyMatch(round -> round.isDone(flow.otherResults()));
    }

    private boolean isTimeOver() {
        return !clock.instant().isBefore(deadline);
    }

    /** How far it is, for people. */
    public String situation() {
        return flow.look(state -> open.stream()
                        .map(round -> "%d of %d prompts of %s measured"
                                .formatted(
                                        round.measured(flow.otherResults()),
                                        round.prompts().rows().size(),
                                        round.set().name()))
                        .collect(Collectors.joining(", ")))
                + " by weight version " + version;
    }

    /** What has come since it was asked last, as events to append; after the last one the version is let go. */
    public List<Event> takeNews() {
        List<EvaluationRound> ended = flow.look(state -> {
            boolean over = isOver();
            List<EvaluationRound> done = open.stream()
                    .filter(round -> over || round.isDone(flow.otherResults()))
                    .toList();
            open.removeAll(done);
            return done;
        });
        List<Event> news = new ArrayList<>();
        ended.forEach(round -> addResult(round, news));
        if (open.isEmpty()) {
            flow.endOtherWork("the evaluation at step " + step + " is over");
        }
        return news;
    }

    private void addResult(EvaluationRound round, List<Event> news) {
        EvalCompleted completed = flow.look(state -> round.summary(flow.otherResults()));
        if (files != null) {
            // Before the event: whoever reads it finds the file.
            files.write(completed.set(), flow.look(state -> round.sampled(flow.otherResults())));
        }
        int rows = round.prompts().rows().size();
        if (completed.prompts() < rows) {
            LOG.warn(
                    "evaluation lacks prompts runId={} set={} step={} weightVersion={} prompts={} of={} because={}",
                    completed.runId(),
                    completed.set(),
                    step,
                    version,
                    completed.prompts(),
                    rows,
                    isTimeOver() ? "its time was over" : "nobody could sample the others by that version");
        }
        news.add(completed);
        if (completed.samples() > 0) {
            news.add(new MetricPoint(
                    completed.runId(),
                    RunMetric.EVALUATION_REWARD.wireName(completed.set()),
                    step,
                    0,
                    completed.meanReward(),
                    clock.instant()));
        }
    }

    /** Whether every result was taken. */
    public boolean isEmpty() {
        return open.isEmpty();
    }
}
