package dev.sluice.planner;

import dev.sluice.domain.plan.Verdict;
import dev.sluice.domain.retention.GroupLogRetention;
import dev.sluice.domain.run.RunDesk;
import dev.sluice.events.Event;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.RunRejected;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent;
import dev.sluice.kafka.AddressedReader;
import dev.sluice.kafka.EventRecord;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.RunLog;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the runs: decide, append to the log, apply. Every planner follows the log; only the elected one, which holds it,
 * decides.
 */
@ApplicationScoped
class RunKeeper {
    private static final Logger LOG = LoggerFactory.getLogger(RunKeeper.class);
    private static final String TRANSACTIONAL_ID = "sluice-planner";
    private static final Duration TICK = Duration.ofMillis(500);
    /** More follow-up events than all runs of a crowded log have after one report. */
    private static final int MAX_EVENTS_AT_ONCE = 10_000;

    private final PlannerThread thread = new PlannerThread();
    private final KafkaConnection connection;
    private final MeterRegistry metrics;
    private final Clock clock = Clock.systemUTC();
    private final RunDesk desk;
    private final GroupLogRetention retention;
    private final AnsweredRequests answered = new AnsweredRequests();
    private final Map<Integer, Long> appliedOffsets = new HashMap<>();
    private @Nullable RunLog log;
    private boolean deciding;

    RunKeeper(KafkaConnection connection, PlannerConfig config, MeterRegistry metrics) {
        this.connection = connection;
        this.metrics = metrics;
        this.desk = new RunDesk(config.deadlines(), config.queue());
        this.retention = new GroupLogRetention(
                config.logKeep(), runId -> AddressedReader.partitionOf(runId, Topics.GROUP_EVENTS));
    }

    /** Takes a record of the own log, from whichever reader it comes first. */
    void follow(EventRecord<Event> record) {
        thread.run(() -> apply(record));
    }

    private void apply(EventRecord<Event> record) {
        long applied = appliedOffsets.getOrDefault(record.partition(), -1L);
        if (record.offset() <= applied) {
            return;
        }
        appliedOffsets.put(record.partition(), record.offset());
        desk.apply((RunEvent) record.event(), record.time());
        retention.apply((RunEvent) record.event(), record.time());
        if (record.event() instanceof RunPlanned || record.event() instanceof RunRejected) {
            answered.add(record.causation());
        }
    }

    /**
     * Takes what others report.
     *
     * @param live whether it was read as it was written; an old heartbeat says nothing about now
     */
    void observe(EventRecord<Event> record, boolean live) {
        thread.run(() -> {
            boolean heartbeat = record.event() instanceof InstanceSnapshot;
            Instant at = heartbeat && live ? clock.instant() : record.time();
            if (record.event() instanceof TrainingEvent training) {
                retention.apply(training);
            }
            if (desk.observe(record.event(), at)) {
                decide(record.id());
            }
        });
    }

    /** Takes the log from whoever held it. The caller then has all of it followed before {@link #startDeciding}. */
    void takeLog() {
        thread.run(() -> log = RunLog.open(connection, TRANSACTIONAL_ID));
    }

    /** @param failed runs when a decision cannot be written, since going on would be guessing */
    void startDeciding(Runnable failed) {
        thread.run(() -> {
            deciding = true;
            decide(null);
        });
        thread.every(TICK, () -> {
            try {
                decide(null);
            } catch (RuntimeException e) {
                LOG.error("the planner cannot decide any more", e);
                deciding = false;
                failed.run();
            }
        });
    }

    /** Answers a request: with a plan, with a rejection, or not at all when it was answered before. */
    void answer(String runId, Verdict verdict, @Nullable UUID request) {
        thread.run(() -> {
            if (!answered.contains(request)) {
                answerTo(runId, verdict).ifPresent(event -> append(event, request));
                decide(request);
            }
        });
    }

    private Optional<RunEvent> answerTo(String runId, Verdict verdict) {
        return switch (verdict) {
            case Verdict.Infeasible infeasible -> Optional.of(new RunRejected(runId, infeasible.problems()));
            case Verdict.Feasible feasible ->
                desk.answer(new RunPlanned(runId, feasible.requestSha256(), feasible.request(), feasible.plan()));
        };
    }

    /** Ends a run that has not ended; any other is left alone. */
    void stop(String runId, String reason, @Nullable UUID request) {
        thread.run(() -> {
            desk.stop(runId, reason).ifPresent(event -> append(event, request));
            decide(request);
        });
    }

    /** Whether this very request needs no answer any more. */
    boolean isAnswered(String runId, String requestSha256, @Nullable UUID request) {
        return thread.call(() -> answered.contains(request) || desk.accepted(runId, requestSha256));
    }

    int gpuInstances() {
        return ask(runs -> runs.gpuInstances(clock.instant()));
    }

    /** By partition, the offset below which no run needs the log of results; empty unless this planner decides. */
    Map<Integer, Long> deletableResults() {
        return thread.call(() -> deciding ? retention.deletableBelow(clock.instant()) : Map.of());
    }

    /** Looks at the runs; the answer must not hold on to the desk. */
    <T> T ask(Function<RunDesk, T> question) {
        return thread.call(() -> question.apply(desk));
    }

    private void decide(@Nullable UUID causation) {
        for (int i = 0; deciding && i < MAX_EVENTS_AT_ONCE; i++) {
            Optional<RunEvent> next = desk.next(clock.instant());
            if (next.isEmpty()) {
                return;
            }
            append(next.get(), causation);
        }
    }

    private void append(RunEvent event, @Nullable UUID causation) {
        if (log == null) {
            throw new IllegalStateException("only the elected planner writes, and this one holds no log");
        }
        apply(log.append(event, causation));
        String name = event.getClass().getSimpleName();
        metrics.counter("sluice.run.events", "event", name).increment();
        LOG.info(
                "{} runId={} phase={}",
                name,
                event.runId(),
                desk.run(event.runId()).phase());
    }

    @PreDestroy
    void close() {
        thread.close();
        if (log != null) {
            log.close();
        }
    }
}
